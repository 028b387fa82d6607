"""`tongban board provision` and `tongban board verify`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from edge_agent.board_port import BAUD
from edge_agent.technician.carton import provision_carton
from edge_agent.technician.cli_output import AsJson, Lang, Output, PortName, run
from edge_agent.technician.follow import Follower
from edge_agent.technician.ports import AUTO
from edge_agent.technician.provision import REPORT_FILE, Job, folder_of, plan, read_identity
from edge_agent.technician.provision import provision as provision_one
from edge_agent.technician.report import read_report
from edge_agent.technician.trouble import EXIT_DONE, EXIT_FAULTS, EXIT_USAGE


def provision(
    *,
    image: Path,
    bundle: Path | None = None,
    port: PortName = AUTO,
    folder: Path | None = None,
    settings: Path | None = None,
    data: Path | None = None,
    plan_file: Annotated[Path | None, Parameter(name="--plan")] = None,
    flash: bool = False,
    selftest: bool = True,
    attended: bool = True,
    label: Literal["png", "slip", "none"] = "png",
    baud: int = BAUD,
    dry_run: bool = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Make a board the board of a terminal: no question when nothing is wrong.

    Parameters
    ----------
    image
        Folder of `tongban board build`.
    bundle
        The terminal's identity, from `tongban server add-terminal`.
    folder
        Where notes, label and report go; NAME.board beside the bundle NAME.* if not given.
    settings
        A settings.txt: what differs from the board's description.
    data
        The agent's data folder: the pair key is made there, else in the folder of the report.
    plan_file
        A carton at once: CSV with the columns bundle, port, settings, folder; bundle is needed.
    flash
        Write interpreter and files with esptool first (ESP32-S3, image built with --interpreter).
    selftest
        Test the devices.
    attended
        Somebody is there who does what the tests ask for.
    label
        A picture, a slip of the board's own printer, or none.
    baud
        Of a link that is no USB.
    dry_run
        Say what would be copied.
    """
    output = Output(lang, as_json)
    common = Job(
        bundle=bundle or Path(),
        image=image,
        folder=folder or folder_of(bundle or Path()),
        port=port,
        settings=settings,
        data=data,
        flash=flash,
        selftest=selftest,
        attended=attended,
        label=label,
        baud=baud,
    )

    if plan_file is not None:
        return run(output, lambda: provision_carton(plan_file, common, output))
    if bundle is None:
        output.say("error: --bundle or --plan", "bold red")
        return EXIT_USAGE
    return run(output, lambda: _provision_one(common, output, dry_run))


def _provision_one(job: Job, output: Output, dry_run: bool) -> int:
    with Follower(output) as follower:
        if dry_run:
            found = plan(job, follower)
            lines = [*found["write"], *(f"- {path}" for path in found["remove"])]
            output.result("\n".join(lines), found)
            return EXIT_DONE
        report = provision_one(job, follower)
    path = job.folder / REPORT_FILE
    text = output.words(
        "result.provisioned",
        terminal=report["terminal"],
        id=report["board"]["unique_id"],
        report=path,
    )
    output.result(text, {"ok": report["passed"], "report_file": str(path), **report})
    return EXIT_DONE if report["passed"] else EXIT_FAULTS


def verify(
    report: Path, *, bundle: Path | None = None, lang: Lang = None, as_json: AsJson = False
) -> int:
    """Is a report of `provision` whole and signed by its terminal?

    Parameters
    ----------
    report
        The report's file.
    bundle
        The terminal that must have signed it.
    """
    output = Output(lang, as_json)

    def work() -> int:
        key = None
        if bundle is not None:
            key = read_identity(bundle).device_key.verify_key
        content = read_report(report, key)
        output.result(
            f"{content['terminal']} {content['board']['unique_id']} {content['at']}", content
        )
        return EXIT_DONE

    return run(output, work)
