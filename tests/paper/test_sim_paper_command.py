"""`tongban sim paper`: bytes in, picture out, and a sentence for everything else."""

from pathlib import Path

import pytest

from simulator.paper.cli import EXIT_DRAWN, EXIT_NOT_DRAWN, FILE_BYTES_MAX, paper
from tests.paper.paper_tools import CUT, HEAD, gb, qr, scanned
from tongban.cli import app


def test_raw_bytes_become_a_picture(tmp_path: Path) -> None:
    source, out = tmp_path / "slip.bin", tmp_path / "slip.png"
    source.write_bytes(HEAD + gb("凭条") + b"\x1bJ\x18" + qr(b"A001", 8) + b"\x1bJ\x20" + CUT)
    with pytest.raises(SystemExit) as ended:
        app(["sim", "paper", str(source), "--out", str(out), "--width", "58"])
    assert ended.value.code == EXIT_DRAWN
    assert scanned(out.read_bytes()) == [("QR Code", "A001")]


def test_one_of_several_slips_is_chosen(tmp_path: Path) -> None:
    source, out = tmp_path / "slip.bin", tmp_path / "slip.png"
    source.write_bytes((HEAD + qr(b"A001", 8) + CUT) + (HEAD + qr(b"A002", 8) + CUT))
    assert paper(source, out=out, slip=2) == EXIT_DRAWN
    assert scanned(out.read_bytes()) == [("QR Code", "A002")]


@pytest.mark.parametrize(
    ("data", "width", "slip", "sentence"),
    [
        (b"", 80, 1, "nothing is printed"),
        (HEAD + gb("国"), 70, 1, "choose 80 or 58"),
        (HEAD + gb("国"), 80, 2, "--slip 2: these bytes print 1"),
        (HEAD + gb("国"), 80, 0, "--slip 0"),
        (b"x" * (FILE_BYTES_MAX + 1), 80, 1, "Draw it in parts"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    tmp_path: Path, capsys, data: bytes, width: int, slip: int, sentence: str
) -> None:
    source = tmp_path / "slip.bin"
    source.write_bytes(data)
    assert paper(source, out=tmp_path / "o.png", width=width, slip=slip) == EXIT_NOT_DRAWN
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys) -> None:
    assert paper(tmp_path / "no.bin", out=tmp_path / "o.png") == EXIT_NOT_DRAWN
    assert "no.bin" in capsys.readouterr().err
