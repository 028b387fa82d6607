"""`tongban board fetch-trace`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from edge_agent.board_port import BAUD
from edge_agent.start import agent_version
from edge_agent.technician import ports
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.cli_output import AsJson, Lang, Output, PortName, run
from edge_agent.technician.ports import AUTO
from edge_agent.technician.provision import read_key
from edge_agent.technician.trace import fetch
from edge_agent.technician.trouble import EXIT_DONE


def fetch_trace(
    *,
    out: Path,
    port: PortName = AUTO,
    data: Annotated[
        Path | None,
        Parameter(help="The agent's data folder: its pair key, and its end of the link."),
    ] = None,
    baud: int = BAUD,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Take what the flight recorder of a board holds; the agent must not run meanwhile.

    Nothing of a person is in it. Play it with: tongban sim replay BUNDLE

    Parameters
    ----------
    out
        The bundle to write.
    baud
        Of a link that is no USB.
    """
    output = Output(lang, as_json)

    def work() -> int:
        path, key = ports.choose(port), read_key(data)
        with BoardLink(path, baud, pair_key=key) as link, output.bar() as bar:
            task = bar.add_task(output.words("step.trace"), total=1)
            link.wait_up()
            found = fetch(
                link,
                data,
                out,
                agent_version(),
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        took_ms = found.board[-1].at_ms if found.board else 0
        counts = {"entries": len(found.board), "agent": len(found.agent), "ms": took_ms}
        text = output.words("result.traced", path=out, **counts)
        output.result(text, {"ok": True, "path": str(out), **counts, "lost": found.manifest.lost})
        return EXIT_DONE

    return run(output, work)
