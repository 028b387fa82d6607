"""What boards in the field understand does not change: ticks, frames, messages and a conversation
kept in vectors.json, under CPython and MicroPython, from .py and from the .mpy that ships."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from edge_agent.technician.image import build_image
from protocol.wire import messages
from simulator.board.runtime import RuntimeMissingError, micropython_command
from tests.wire import make_vectors, micropython_vectors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FORMS = ["py", "mpy"]
PAIRED_BYTES_MAX = 640
"""Of a heap of 64-bit words; a board's take half for all that is no digest."""


@pytest.fixture(scope="module")
def vectors() -> dict[str, list]:
    return json.loads(make_vectors.FILE.read_text("utf-8"))


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Form of the modules -> the folder they are imported from."""
    image = tmp_path_factory.mktemp("image")
    build_image(image, HERE.glob("*.py"))
    return {"py": ROOT, "mpy": image}


def micropython(script: str, *arguments: str, root: Path) -> str:
    """What a script of this folder prints under MicroPython."""
    try:
        command = micropython_command()
    except RuntimeMissingError as error:
        if os.environ.get("CI") == "true":
            raise  # in CI nothing is left out
        pytest.skip(str(error))
    result = subprocess.run(
        [*command, "-X", "heapsize=1024wK", str(HERE / script), *arguments],
        env={**os.environ, "MICROPYPATH": f".frozen:{root}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip()


def test_cpython_plays_the_vectors(vectors: dict[str, list]) -> None:
    counts = micropython_vectors.replay(vectors)
    assert counts["conversation"] > 1000
    assert min(counts.values()) > 5


@pytest.mark.parametrize("form", FORMS)
def test_micropython_plays_the_vectors(
    form: str, roots: dict[str, Path], vectors: dict[str, list]
) -> None:
    said = json.loads(
        micropython("micropython_vectors.py", str(make_vectors.FILE), root=roots[form])
    )
    assert said.pop("runtime") == "micropython"
    assert said.pop("link").endswith(f"link.{form}")
    assert said == micropython_vectors.replay(vectors)


@pytest.mark.parametrize("form", FORMS)
def test_what_a_link_hears_allocates_nothing_or_paired_the_same_little_for_any_length(
    form: str, roots: dict[str, Path]
) -> None:
    said = micropython("micropython_heap.py", root=roots[form])
    fields = re.fullmatch(r"no allocation, paired (\d+) to (\d+) bytes a frame", said)
    assert fields, said
    assert int(fields[1]) == int(fields[2]) <= PAIRED_BYTES_MAX


def test_the_vectors_are_what_the_code_makes() -> None:
    assert make_vectors.text() == make_vectors.FILE.read_text("utf-8"), (
        "the wire changed: if that is meant, python -m tests.wire.make_vectors"
    )


def test_the_vectors_cover_every_message_and_every_turn_of_a_link(
    vectors: dict[str, list],
) -> None:
    assert {one["kind"] for one in vectors["messages"]} == set(messages.FORMS)
    downs = {
        "conversation": {"version", "peer_reboot", "silent"},
        "paired": {"peer_reboot", "silent", "unpaired", "paired", "pair_key"},
    }
    for name, wanted in downs.items():
        told = [line for call in vectors[name] if call[1] != "new" for line in call[4]]
        assert {line[0] for line in told} == {"up", "message", "down"}
        assert {line[1] for line in told if line[0] == "down"} >= wanted
    instants = [call[2][0] for call in vectors["conversation"] if call[1] == "tick"]
    assert instants != sorted(instants), "the ticks wrap on the way"


@pytest.mark.parametrize(
    "part",
    [
        "ticks",
        "frames",
        "streams",
        "messages",
        "refused_messages",
        "tags",
        "conversation",
        "paired",
    ],
)
def test_a_changed_vector_is_noticed(part: str, vectors: dict[str, list]) -> None:
    bad = json.loads(json.dumps(vectors))[part]
    if part == "ticks":
        bad["diff"][1][2] += 1
    elif part == "frames":
        bad[3]["wire"] = bad[2]["wire"]
    elif part == "streams":
        bad[0]["counts"][0] += 1
    elif part == "messages":
        bad[0]["data"] += "00"
    elif part == "refused_messages":
        bad.append(vectors["messages"][0]["data"])
    elif part == "tags":
        bad[0]["hello"] = bad[0]["frame"]
    else:
        next(call for call in bad if call[1] == "pull" and call[3])[3] += "00"
    with pytest.raises((AssertionError, messages.MessageError)):
        micropython_vectors.replay({**vectors, part: bad})
