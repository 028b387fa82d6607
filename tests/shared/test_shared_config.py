"""A wrong configuration names file, line, key and cure; the environment wins over the file."""

from pathlib import Path

import msgspec
import pytest

from tongban.config import FILE_BYTES_MAX, ConfigError, load


class Broker(msgspec.Struct, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 1883


class Config(msgspec.Struct, forbid_unknown_fields=True):
    name: str = "centre"
    broker: Broker = msgspec.field(default_factory=Broker)


def written(folder: Path, text: str) -> Path:
    path = folder / "role.toml"
    path.write_text(text, "utf-8")
    return path


def problem(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), Config, environment or {})
    return str(caught.value)


def test_values_come_from_the_file_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[broker]\nhost = "b"\n'), Config, {})
    assert (config.name, config.broker.host, config.broker.port) == ("centre", "b", 1883)
    assert load(None, Config, {}).broker.port == 1883


def test_a_wrong_value_names_file_line_and_key(tmp_path: Path) -> None:
    text = problem(tmp_path, '# first\nname = "x"\n\n[broker]\nport = "many"\n')
    assert "role.toml:5: broker.port" in text
    assert "Correct this value" in text


def test_an_unknown_key_is_refused_by_name_and_line(tmp_path: Path) -> None:
    text = problem(tmp_path, '[broker]\nhost = "b"\nprot = 1\n')
    assert "role.toml:3: broker.prot" in text
    assert "Remove" in text


def test_what_is_no_toml_says_so(tmp_path: Path) -> None:
    assert "not valid TOML" in problem(tmp_path, "name = \n")


def test_the_environment_wins_and_is_named_when_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, "[broker]\nport = 1\n")
    config = load(path, Config, {"TONGBAN_BROKER__PORT": "7", "TONGBAN_ELSE": "x", "PATH": "y"})
    assert config.broker.port == 7
    text = problem(tmp_path, "", {"TONGBAN_BROKER__PORT": "many"})
    assert "TONGBAN_BROKER__PORT in the environment" in text


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * (FILE_BYTES_MAX + 1)])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "role.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"role\.toml"):
        load(path, Config, {})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml", Config, {})
