"""`tongban board fetch-trace`."""

from pathlib import Path

from edge_agent.start import agent_version
from edge_agent.technician.cli_output import run
from edge_agent.technician.cli_reach import ANY_BOARD, Reach
from edge_agent.technician.trace import fetch
from edge_agent.technician.trouble import EXIT_DONE


def fetch_trace(
    *,
    out: Path,
    reach: Reach = ANY_BOARD,
) -> int:
    """Take what the flight recorder of a board holds; the agent must not run meanwhile.

    With the agent's data folder its end of the link is in it, too. Nothing of a person is.
    Play it with: tongban sim replay BUNDLE

    Parameters
    ----------
    out
        The bundle to write.
    """
    output = reach.output()

    def work() -> int:
        with reach.link() as link, output.bar() as bar:
            task = bar.add_task(output.words("step.trace"), total=1)
            link.wait_up()
            found = fetch(
                link,
                reach.data,
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
