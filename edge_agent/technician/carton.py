"""A carton of boards at once: one row of a CSV file each, PARALLEL_MAX at a time."""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from edge_agent.technician.cli_output import Output
from edge_agent.technician.follow import Follower
from edge_agent.technician.ports import AUTO, find_ports
from edge_agent.technician.provision import Job, folder_of, provision
from edge_agent.technician.trouble import EXIT_DONE, EXIT_FAULTS, TroubleError

PARALLEL_MAX = 4
ROWS_MAX = 200
COLUMNS = ("bundle", "port", "settings", "folder")


class Row(msgspec.Struct, frozen=True):
    """What became of one board."""

    bundle: str
    port: str
    ok: bool
    trouble: str = ""
    text: str = ""
    board: str = ""


def provision_carton(path: Path, common: Job, output: Output) -> int:
    """All rows; EXIT_DONE when every board is good, else the first trouble's exit code. Raises
    TroubleError when the file cannot be used; then nothing was begun."""
    jobs = list(_jobs(path, common))
    codes: list[int] = []

    def one(job: Job) -> Row:
        name = job.bundle.name.split(".", maxsplit=1)[0]
        with Follower(output, name) as follower:
            try:
                report = provision(job, follower)
            except TroubleError as error:
                output.say(f"{name}: {output.words.trouble(error)}", "bold red")
                output.say(f"{name}: → {output.words.cure(error)}")
                codes.append(error.exit_code)
                text = output.words.trouble(error)
                return Row(str(job.bundle), job.port, False, error.key, text)
        if not report["passed"]:
            codes.append(EXIT_FAULTS)
        return Row(str(job.bundle), job.port, report["passed"], board=report["board"]["unique_id"])

    with ThreadPoolExecutor(PARALLEL_MAX) as pool:
        rows = list(pool.map(one, jobs))
    good = sum(row.ok for row in rows)
    text = output.words("result.carton", good=good, boards=len(rows))
    table = {"ok": good == len(rows), "boards": [msgspec.to_builtins(row) for row in rows]}
    output.result(text, table)
    return codes[0] if codes else EXIT_DONE


def _jobs(path: Path, common: Job) -> Iterator[Job]:
    rows = _rows(path)
    named = {row["port"] for row in rows if row.get("port")}
    free = iter([p.path for p in find_ports() if p.is_board and p.path not in named])
    seen: set[Path] = set()
    for number, row in enumerate(rows, 2):
        bundle = path.parent / row["bundle"]
        folder = path.parent / row["folder"] if row.get("folder") else folder_of(bundle)
        port = row.get("port") or next(free, AUTO)
        if port == AUTO:
            raise TroubleError("no_board", others=f"{path}: line {number}")
        if folder in seen:
            raise TroubleError("file_unusable", path=path, error=f"line {number}: {folder} twice")
        seen.add(folder)
        settings = path.parent / row["settings"] if row.get("settings") else None
        yield msgspec.structs.replace(
            common, bundle=bundle, port=port, folder=folder, settings=settings, data=None
        )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for row, _ in zip(reader, range(ROWS_MAX + 1), strict=False)]
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TroubleError("file_unusable", path=path, error=error) from error
    problem = ""
    if "bundle" not in columns or set(columns) - set(COLUMNS):
        problem = f"columns are {', '.join(COLUMNS)}; bundle is needed"
    elif len(rows) > ROWS_MAX:
        problem = f"more than {ROWS_MAX} rows"
    elif not rows or not all(row["bundle"] for row in rows):
        problem = "every row needs a bundle"
    if problem:
        raise TroubleError("file_unusable", path=path, error=problem)
    return rows
