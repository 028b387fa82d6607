"""`tongban board selftest`, `doctor`, `logs`, `maintain` and `wipe`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from edge_agent.technician.cli_output import Output, run
from edge_agent.technician.cli_reach import ANY_BOARD, Reach
from edge_agent.technician.doctor import diagnose
from edge_agent.technician.follow import Follower
from edge_agent.technician.layout import is_data
from edge_agent.technician.selftest import SelfTest, built_in
from edge_agent.technician.trouble import EXIT_DONE, EXIT_FAULTS, TroubleError
from protocol.wire import states

STATES_S = 3.0
ID_DIGITS_TYPED = 4


def selftest(
    *,
    device: tuple[str, ...] = (),
    attended: bool = True,
    reach: Reach = ANY_BOARD,
) -> int:
    """Try every device, with a person where only a person can tell.

    Parameters
    ----------
    device
        Only these: card_reader, printer, voice, gate, help_button, cash_acceptor, barcode_reader.
    attended
        Somebody is there who does what the tests ask for; without, the board's own word counts.
    """
    output = reach.output()

    def work() -> int:
        with (
            Follower(output) as follower,
            reach.link() as link,
        ):
            follower.step("hello")
            link.wait_up()
            follower.step("selftest")
            wanted = built_in(link.info)
            for name in device:
                if name not in {states.DEVICE_NAMES[d] for d in wanted}:
                    raise TroubleError("device_absent", device=name)
            chosen = [d for d in wanted if not device or states.DEVICE_NAMES[d] in device]
            name = link.info.get("id", "?")
            results = []
            test = SelfTest(link, name, attended=attended, ask=follower.ask)
            for result in test.run(chosen):
                follower.device(result)
                results.append(msgspec.to_builtins(result))
        good = all(result["outcome"] == "passed" for result in results)
        lines = [f"{r['device']:16} {r['outcome']:8} {r['by']}" for r in results]
        output.result("\n".join(lines), {"ok": good, "id": name, "devices": results})
        return EXIT_DONE if good else EXIT_FAULTS

    return run(output, work)


def doctor(
    *,
    image: Path | None = None,
    quick: bool = False,
    reach: Reach = ANY_BOARD,
) -> int:
    """Find what is wrong with a board, and say what to do.

    Parameters
    ----------
    image
        A build that should be on it; its firmware is compared file by file.
    quick
        Ask the firmware only; without, it is stopped for a look at the flash and started again.
    """
    output = reach.output()

    def work() -> int:
        with Follower(output) as follower:
            found = diagnose(
                reach.port, reach.baud, image, follower, quick=quick, pair_key=reach.key()
            )
        for error in found.troubles:
            output.trouble(error)
        facts = None if found.facts is None else msgspec.to_builtins(found.facts)
        output.result(
            "\n".join(error.key for error in found.troubles) or output.words("result.healthy"),
            {
                "ok": not found.troubles,
                "port": found.port,
                "hello": found.info,
                "board": facts,
                "troubles": [output.told(error) for error in found.troubles],
            },
        )
        return found.troubles[0].exit_code if found.troubles else EXIT_DONE

    return run(output, work)


def logs(
    *,
    flash: bool = False,
    reach: Reach = ANY_BOARD,
) -> int:
    """What a board says of itself: its last fault, why it started, its devices and its counters.

    Parameters
    ----------
    flash
        Stop the firmware and list the data files too; the firmware is started again.
    """
    output = reach.output()

    def work() -> int:
        told: dict[str, Any] = {}
        with Follower(output) as follower:
            follower.step("hello")
            with reach.link() as link:
                link.wait_up()
                last = states.DEVICE_NAMES[max(built_in(link.info), default=0)]
                link.until(lambda: any(name.startswith(last) for name in link.counters), STATES_S)
                told["hello"] = link.info
                told["devices"] = {
                    states.DEVICE_NAMES[device]: [
                        states.STATE_NAMES[state],
                        states.DETAIL_NAMES.get(detail, str(detail)) if detail else "",
                    ]
                    for device, (state, detail) in sorted(link.devices.items())
                }
                told["counters"] = link.counters
            if flash:
                follower.step("check")
                with reach.repl() as repl:
                    there = repl.files((), _nothing).values()
                    told["files"] = {f.path: f.size_bytes for f in there if is_data(f.path)}
                    repl.reset()
        output.result("\n".join(_lines(told)), told)
        return EXIT_DONE

    return run(output, work)


def maintain(*, reach: Reach = ANY_BOARD) -> int:
    """Stop the firmware and leave the port to a REPL, for mpremote. A reset starts it again."""
    output = reach.output()

    def work() -> int:
        output.say(output.words("step.enter"))
        with reach.repl() as repl:
            facts = repl.facts()
        text = output.words("result.maintained", port=repl.path)
        output.result(text, {"ok": True, "port": repl.path, **msgspec.to_builtins(facts)})
        return EXIT_DONE

    return run(output, work)


def wipe(
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    reach: Reach = ANY_BOARD,
) -> int:
    """Factory reset: firmware, journals, settings and keys are removed from the flash.

    Asks for the end of the board's id first.

    Parameters
    ----------
    yes
        Do not ask.
    """
    output = reach.output()

    def work() -> int:
        output.say(output.words("step.enter"))
        with reach.repl() as repl:
            facts = repl.facts()
            if not yes and not _agrees(output, facts.unique_id):
                repl.reset()
                raise TroubleError("not_confirmed")
            output.say(output.words("step.wipe"))
            for name in {path.split("/")[0] for path in repl.files((), _nothing)}:
                repl.remove(name)
            left = sorted(repl.files((), _nothing))
            if left:
                raise TroubleError("copy_corrupt", path=left[0], times=1)
        text = output.words("result.wiped", id=facts.unique_id)
        output.result(text, {"ok": True, "id": facts.unique_id})
        return EXIT_DONE

    return run(output, work)


def _agrees(output: Output, unique_id: str) -> bool:
    if not sys.stdin.isatty():
        return False
    output.say(output.words("ask.wipe", id=unique_id), "bold yellow")
    return sys.stdin.readline().strip().lower() == unique_id[-ID_DIGITS_TYPED:]


def _lines(told: dict[str, Any]) -> list[str]:
    lines = []
    for family, values in told.items():
        lines.append(f"[{family}]")
        for name, value in values.items():
            text = " ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"{name:24} {text}")
    return lines


def _nothing() -> None:
    """Nobody counts."""
