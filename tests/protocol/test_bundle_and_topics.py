"""A bundle comes back from its text, and a topic names exactly one terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import topics
from protocol.bundle import BUNDLE_BYTES_MAX, Bundle, from_toml, to_toml
from protocol.errors import BundleError, LocalError, TopicError
from tests.protocol.sample import CENTRE, DEVICE, OTHER_CENTRE

BUNDLE = Bundle(
    "hall-a-01",
    "dongguan/nancheng/hall-a",
    DEVICE.to_bytes(),
    CENTRE.public,
    "127.0.0.1",
    1883,
    "A",
)


@settings(max_examples=40, deadline=None)
@given(
    st.from_regex(r"[a-z0-9-]{3,32}", fullmatch=True),
    st.lists(st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True), min_size=1, max_size=8),
    st.binary(min_size=32, max_size=32),
    st.integers(1, 65535),
)
def test_a_bundle_comes_back(terminal: str, unit: list[str], seed: bytes, port: int) -> None:
    bundle = Bundle(terminal, "/".join(unit), seed, CENTRE.public, "broker.example", port, "B")
    assert from_toml(to_toml(bundle)) == bundle


def test_a_bundle_signs_as_its_terminal() -> None:
    assert from_toml(to_toml(BUNDLE)).device_key.verify_key == DEVICE.verify_key


@pytest.mark.parametrize(
    "wrong",
    [
        BUNDLE._replace(terminal="Hall/1"),
        BUNDLE._replace(unit=""),
        BUNDLE._replace(unit="a//b"),
        BUNDLE._replace(unit='a"\nb'),
        BUNDLE._replace(broker_host='h"\nport = 1'),
        BUNDLE._replace(broker_port=0),
        BUNDLE._replace(broker_port=65536),
        BUNDLE._replace(letter="I"),
        BUNDLE._replace(letter='A"'),
    ],
)
def test_a_bundle_that_would_not_come_back_is_not_written(wrong: Bundle) -> None:
    with pytest.raises(LocalError):
        to_toml(wrong)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('terminal = "hall-a-01"', 'terminal = "H"', "terminal"),
        ('terminal = "hall-a-01"', "", "terminal"),
        ("format = 1", "format = 2", "format"),
        ("format = 1", "format = true", "format"),
        ("port = 1883", 'port = "1883"', "broker.port"),
        ("port = 1883", "port = 0", "broker.port"),
        ('device_seed = "', 'device_seed = "!', "device_seed"),
        ('device_seed = "', 'device_seed = "AAAA', "device seed"),
        ('public = "', 'public = "AAAA', "centre public key"),
        (CENTRE.public.key_id.hex(), OTHER_CENTRE.public.key_id.hex(), "centre.key_id"),
        ("[centre]", "centre = 1\n[other]", "centre.public"),
        ("format = 1", "format = ", "TOML"),
    ],
)
def test_a_wrong_bundle_names_the_key_and_the_cure(old: str, new: str, named: str) -> None:
    text = to_toml(BUNDLE)
    assert old in text
    with pytest.raises(BundleError) as error:
        from_toml(text.replace(old, new, 1))
    assert named in str(error.value)
    assert "add-terminal" in str(error.value)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_garbage_is_a_bundle_error(text: str) -> None:
    for garbage in (text, to_toml(BUNDLE)[: len(text)] + text, "x = " + "[" * 5000):
        with pytest.raises(BundleError):
            from_toml(garbage)
    with pytest.raises(BundleError):
        from_toml("#" * (BUNDLE_BYTES_MAX + 1))


def test_topics_name_terminal_and_purpose() -> None:
    assert topics.up_batch("hall-a-01") == "tb/1/hall-a-01/up/batch"
    assert topics.up_state("hall-a-01") == "tb/1/hall-a-01/up/state"
    assert topics.down_receipt("hall-a-01") == "tb/1/hall-a-01/down/receipt"
    assert topics.every_up(topics.UP_BATCH) == "tb/1/+/up/batch"
    for topic, parsed in (
        (topics.up_batch("abc"), ("abc", topics.UP_BATCH)),
        (topics.up_state("abc"), ("abc", topics.UP_STATE)),
        (topics.down_receipt("abc"), ("abc", topics.DOWN_RECEIPT)),
        (topics.status_list(), ("", topics.STATUS_LIST)),
    ):
        assert topics.parse(topic) == parsed


@pytest.mark.parametrize(
    "terminal", ["", "ab", "a" * 33, "+", "#", "a/b", "Hall", "hall\n", "厅-1"]
)
def test_no_topic_for_a_name_that_is_no_terminal(terminal: str) -> None:
    for make in (topics.up_batch, topics.up_state, topics.down_receipt):
        with pytest.raises(LocalError):
            make(terminal)
    with pytest.raises(TopicError):
        topics.parse(f"tb/1/{terminal}/up/batch")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "tb/1/abc/up/other",
        "tb/1/abc/down/status_list",
        "tb/1/up/batch",
        "tb/2/abc/up/batch",
        "tb/1/abc/up/batch/",
        "tb/1/abc/up/batch\n",
        "/tb/1/abc/up/batch",
        "x" * 70_000,
    ],
)
def test_a_topic_that_is_none_of_ours_is_refused(topic: str) -> None:
    with pytest.raises(TopicError):
        topics.parse(topic)
