"""`tongban board build` and `tongban board ports`."""

from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.technician.cli_output import AsJson, Lang, Output, run
from edge_agent.technician.flash_sizes import parse_size
from edge_agent.technician.ports import find_ports
from edge_agent.technician.trouble import EXIT_DONE


def build(
    *,
    board: Literal["esp32s3", "rp2350", "simulated"],
    out: Path,
    flash_size: str = "4MB",
    release: Path | None = None,
    key: Path | None = None,
    version: int = 1,
    interpreter: Path | None = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Build what goes onto a board: files, a littlefs image, with an interpreter one flash image.

    The same input gives the same bytes, on every machine.

    Parameters
    ----------
    board
        Which board's description.
    out
        Folder to build into.
    flash_size
        Size of the flash chip: 4MB, 8MB or 16MB.
    release
        A release file (`tongban release`) for both slots; without it the sources are built.
    key
        Public key of releases, so that the board takes updates.
    version
        Number of the release when it is built from the sources.
    interpreter
        MicroPython image (.bin for address 0) of an ESP32-S3.
    """
    from edge_agent.technician.build import build as build_into  # noqa: PLC0415 - loads compilers

    output = Output(lang, as_json)

    def work() -> int:
        size = parse_size(flash_size)
        output.say(output.words("step.build"))
        made = build_into(
            board, size, out, version=version, release=release, key=key, interpreter=interpreter
        )
        text = output.words(
            "result.built",
            files=len(made.files),
            bytes=made.size_bytes,
            sha256=made.image_sha256[:16],
            folder=out,
        )
        output.result(text, {"ok": True, "folder": str(out), **msgspec.to_builtins(made)})
        return EXIT_DONE

    return run(output, work)


def ports(*, lang: Lang = None, as_json: AsJson = False) -> int:
    """List the serial ports of this computer, those of boards first."""
    output = Output(lang, as_json)
    found = find_ports()
    lines = (
        f"{p.path:24} {p.kind:8} {p.usb:10} {p.serial_number:18} {p.description}" for p in found
    )
    data = {"ports": [{**msgspec.to_builtins(port), "is_board": port.is_board} for port in found]}
    output.result("\n".join(lines), data)
    return EXIT_DONE
