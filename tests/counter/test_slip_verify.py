"""`tongban slip verify`: exit 0 for a genuine slip and for nothing else; no network, no centre."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from counter.cli import EXIT_GENUINE, EXIT_NOT_CHECKED, EXIT_NOT_GENUINE, page, verify
from counter.images import IMAGE_BYTES_MAX
from counter.verdict import SENTENCES, TYPED_CHARACTERS_MAX, Word, judge, normalise
from protocol.slip_keys import key_fingerprint, open_slip_keys
from tests.counter.counter_tools import (
    GENUINE,
    PROOF,
    VERDICTS,
    as_typed_in_chinese,
    changed,
    keys_file,
    picture_of,
    png,
)
from tests.protocol.sample import CENTRE, OTHER_CENTRE
from tongban.cli import app


@pytest.fixture
def typed(capsys, tmp_path):
    """Type `tongban slip verify WORDS --keys FILE`: (exit code, stdout, stderr)."""
    keys = keys_file(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            app(["slip", "verify", *words, "--keys", str(keys)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def keys(tmp_path):
    return open_slip_keys(keys_file(tmp_path).read_bytes())


@pytest.mark.parametrize(
    ("word", "text"), [(word, text) for word, texts in VERDICTS.items() for text in texts]
)
def test_each_text_gets_its_verdict(keys, word: str, text: str) -> None:
    verdict = judge(text, keys)
    assert verdict.word == word
    assert (verdict.proof is not None) == (word == Word.GENUINE)


def test_every_changed_character_is_refused(keys) -> None:
    for at in range(len(GENUINE)):
        assert judge(changed(GENUINE, at), keys).word is not Word.GENUINE, at
    for size in range(len(GENUINE)):
        assert judge(GENUINE[:size], keys).word is Word.UNREADABLE


def test_what_a_chinese_input_method_makes_of_a_scan_is_understood() -> None:
    wide = as_typed_in_chinese(GENUINE)
    assert not set(wide) & set(GENUINE)
    assert normalise(wide) == GENUINE


def test_a_flood_of_characters_is_cut_before_it_is_looked_at(keys) -> None:
    assert len(normalise("/" * (TYPED_CHARACTERS_MAX + 1))) == TYPED_CHARACTERS_MAX
    assert judge(GENUINE + " " * 10_000_000, keys).word is Word.GENUINE


def test_every_verdict_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Word) == set(VERDICTS)


def test_a_genuine_slip_says_what_it_is_and_ends_with_0(typed) -> None:
    code, out, _ = typed(GENUINE)
    assert code == EXIT_GENUINE
    assert "B-017  2026-11-27  gate-1  city/nancheng/hall-1  number" in out
    code, out, _ = typed(GENUINE, "--json")
    said = json.loads(out)
    assert (said["genuine"], said["verdict"], said["number"]) == (True, "genuine", PROOF.number)
    assert said["keys_issued"] == "2026-11-18"


@pytest.mark.parametrize("word", [word for word in VERDICTS if word != "genuine"])
def test_what_is_not_genuine_ends_with_1_and_names_nothing_as_fact(typed, word: str) -> None:
    code, out, _ = typed(VERDICTS[word][0], "--json")
    said = json.loads(out)
    assert code == EXIT_NOT_GENUINE
    assert (said["genuine"], said["verdict"]) == (False, word)
    assert "number" not in said


@pytest.mark.parametrize("width_mm", [80, 58])
def test_a_picture_of_the_printed_slip_is_read(typed, tmp_path: Path, width_mm: int) -> None:
    picture = tmp_path / "slip.png"
    picture.write_bytes(picture_of(GENUINE, width_mm))
    assert typed("--image", str(picture))[0] == EXIT_GENUINE
    picture.write_bytes(picture_of(VERDICTS["forged"][0], width_mm))
    assert typed("--image", str(picture))[0] == EXIT_NOT_GENUINE


def test_a_tilted_photograph_is_read(typed, tmp_path: Path) -> None:
    picture = tmp_path / "slip.png"
    picture.write_bytes(picture_of(GENUINE))
    turned = Image.open(picture).convert("L").rotate(17, expand=True, fillcolor=200)
    picture.write_bytes(png(turned))
    assert typed("--image", str(picture))[0] == EXIT_GENUINE


def test_what_cannot_be_checked_ends_with_2_and_says_why(typed, tmp_path: Path) -> None:
    blank, broken, huge = (tmp_path / name for name in ("blank.png", "broken.png", "huge.png"))
    blank.write_bytes(png(Image.new("L", (100, 100), 255)))
    broken.write_bytes(b"no picture")
    with huge.open("wb") as file:
        file.truncate(IMAGE_BYTES_MAX + 1)
    for words, sentence in (
        (["--image", str(blank)], "no QR code"),
        (["--image", str(broken)], "no picture that can be read"),
        (["--image", str(huge)], "Give a smaller picture"),
        (["--image", str(tmp_path / "none.png")], "none.png"),
        ([], "give the text of the code, or --image FILE"),
        ([GENUINE, "--image", str(blank)], "give the text of the code, or --image FILE"),
        ([GENUINE, "--centre", "0" * 16], "not by 0000"),
    ):
        code, out, err = typed(*words)
        assert (code, out) == (EXIT_NOT_CHECKED, ""), words
        assert sentence in err


@pytest.mark.parametrize("words", [["verify"], ["verify", "X", "--kyes", "k"], ["page"]])
def test_what_is_typed_wrong_is_never_taken_for_a_verdict(words: list[str]) -> None:
    typed = [sys.executable, "-m", "tongban.cli", "slip", *words]
    ended = subprocess.run(typed, capture_output=True, check=False)
    assert ended.returncode == EXIT_NOT_CHECKED
    assert ended.stdout + ended.stderr != b""


def test_keys_that_are_not_there_are_asked_of_the_centre(capsys, tmp_path: Path) -> None:
    nowhere = tmp_path / "k.json"
    assert verify(GENUINE, keys=nowhere) == EXIT_NOT_CHECKED
    assert page(keys=nowhere, out=tmp_path / "v.html") == EXIT_NOT_CHECKED
    assert capsys.readouterr().err.count("tongban server slip-keys") == 2


def test_without_its_packages_a_picture_is_refused_with_the_cure(
    typed, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    code, _, err = typed("--image", str(tmp_path / "slip.png"))
    assert code == EXIT_NOT_CHECKED
    assert "pip install zxing-cpp pillow" in err


def test_the_centre_can_be_named(typed) -> None:
    ours = key_fingerprint(CENTRE.public.verify_key)
    other = key_fingerprint(OTHER_CENTRE.public.verify_key)
    assert typed(GENUINE, "--centre", ours)[0] == EXIT_GENUINE
    assert typed(GENUINE, "--centre", other)[0] == EXIT_NOT_CHECKED


def test_a_counter_needs_neither_terminal_nor_centre_nor_simulator(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom counter.cli import verify\nfrom pathlib import Path\n"
        f"code = verify({GENUINE!r}, keys=Path({str(keys_file(tmp_path))!r}))\n"
        "rooms = {name.split('.')[0] for name in sys.modules}\n"
        "assert not rooms & {'edge_agent', 'sync_server', 'simulator', 'firmware'}, rooms\n"
        "sys.exit(code)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == EXIT_GENUINE, ended.stderr
