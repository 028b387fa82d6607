"""`tongban release ...`: make, sign, check and show releases for boards. docs/updates.md has the
ceremony.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | `verify`: not signed, or not with this key |
| 2 | a file, a key or a passphrase cannot be used |
"""

import getpass
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from edge_agent.technician.image import ImageError, build_image
from edge_agent.technician.layout import KEY_FILE, slot_content
from edge_agent.technician.release_file import (
    Release,
    ReleaseError,
    make_release,
    pack,
    read_release,
)
from edge_agent.technician.release_key import (
    PrivateKey,
    ReleaseKeyError,
    parse_public,
    read_private,
    read_public,
    write_new,
)
from protocol.wire.manifest import VERSION_MAX

EXIT_DONE, EXIT_NOT_SIGNED, EXIT_UNUSABLE = 0, 1, 2
PRIVATE_MODE, PUBLIC_MODE = 0o600, 0o644
PASSPHRASE_BYTES_MAX = 1024

AsJson = Annotated[bool, Parameter(name="--json")]
app = App(name="release", help="Releases for boards: keys, build, sign, verify, show.")


@app.command
def keygen(
    *, key: Path, public: Path, passphrase_file: Path | None = None, as_json: AsJson = False
) -> int:
    """Make a release key. Once, on a machine that is never on a network.

    Parameters
    ----------
    key
        File for the private half, encrypted; it must not exist.
    public
        File for the public half, release.pub; it must not exist.
    passphrase_file
        File whose first line is the passphrase; without it you are asked.
    as_json
        One JSON object on stdout.
    """

    def work() -> tuple[int, dict[str, Any]]:
        passphrase = _passphrase(passphrase_file, twice=True)
        made = PrivateKey.generate()
        write_new(key, made.to_pem(passphrase), PRIVATE_MODE)
        write_new(public, made.public.text.encode(), PUBLIC_MODE)
        files = {"key": str(key), "public": str(public)}
        return EXIT_DONE, {**files, "fingerprint": made.public.fingerprint}

    return _run(work, as_json)


@app.command
def build(
    *,
    board: Literal["esp32s3", "rp2350", "simulated"],
    version: Annotated[int, Parameter(help=f"1 to {VERSION_MAX}; above that of every board.")],
    name: str,
    out: Path,
    next_key: Path | None = None,
    as_json: AsJson = False,
) -> int:
    """Build a release from these sources; it is not signed yet.

    Parameters
    ----------
    board
        Which board it is for; others refuse it.
    version
        Number of the release.
    name
        What people call it, for example 0.1.1.
    out
        The file to write; it must not exist.
    next_key
        release.pub of a new key: boards that confirm this release take only its releases then.
    as_json
        One JSON object on stdout.
    """

    def work() -> tuple[int, dict[str, Any]]:
        more = {KEY_FILE: read_public(next_key).text.encode()} if next_key else {}
        with tempfile.TemporaryDirectory() as scratch:
            print(f"building {name} for {board} ...", file=sys.stderr)
            build_image(Path(scratch))
            made = make_release(board, version, name, slot_content(Path(scratch)) | more)
        write_new(out, pack(made), PUBLIC_MODE)
        return EXIT_DONE, {"file": str(out), **_described(made)}

    return _run(work, as_json)


@app.command
def sign(
    release: Path,
    /,
    *,
    key: Path,
    out: Path,
    passphrase_file: Path | None = None,
    as_json: AsJson = False,
) -> int:
    """Sign a release. On the machine that is never on a network.

    Parameters
    ----------
    release
        What `build` wrote; board, version and id are shown before the passphrase is asked.
    key
        The private half.
    out
        The file to write; it must not exist.
    passphrase_file
        File whose first line is the passphrase; without it you are asked.
    as_json
        One JSON object on stdout.
    """

    def work() -> tuple[int, dict[str, Any]]:
        unsigned = read_release(release)
        _tell(_described(unsigned), sys.stderr)
        private = read_private(key, _passphrase(passphrase_file, twice=False))
        signed = private.sign(unsigned)
        write_new(out, pack(signed), PUBLIC_MODE)
        signer = {"fingerprint": private.public.fingerprint}
        return EXIT_DONE, {"file": str(out), **_described(signed), **signer}

    return _run(work, as_json)


@app.command
def verify(release: Path, /, *, public: Path, as_json: AsJson = False) -> int:
    """Check every hash of a release and its signature.

    Parameters
    ----------
    release
        The file.
    public
        release.pub.
    as_json
        One JSON object on stdout.
    """

    def work() -> tuple[int, dict[str, Any]]:
        found, key = read_release(release), read_public(public)
        right = bool(found.signature) and key.has_signed(found)
        verdict = "right" if right else "wrong key" if found.signature else "not signed"
        told = {"signature": verdict, "fingerprint": key.fingerprint, **_described(found)}
        return EXIT_DONE if right else EXIT_NOT_SIGNED, told

    return _run(work, as_json)


@app.command
def show(release: Path, /, *, as_json: AsJson = False) -> int:
    """Show what a release holds. Its hashes are checked, its signature is not.

    Parameters
    ----------
    release
        The file.
    as_json
        One JSON object on stdout.
    """

    def work() -> tuple[int, dict[str, Any]]:
        found = read_release(release)
        content = {path: len(data) for path, data in found.files.items()}
        return EXIT_DONE, {**_described(found), "content": content}

    return _run(work, as_json)


def _described(release: Release) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "board": release.board,
        "version": release.version,
        "name": release.name,
        "release": f"{release.id:016x}",
        "files": len(release.files),
        "bytes": len(release.stream),
        "signed": bool(release.signature),
    }
    next_key = release.files.get(KEY_FILE)
    if next_key is not None:
        facts["next_key"] = parse_public(next_key, KEY_FILE).fingerprint
    return facts


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """Raises ReleaseKeyError."""
    if file is not None:
        try:
            with file.open("rb") as opened:
                first = opened.read(PASSPHRASE_BYTES_MAX).split(b"\n")[0]
            return first.decode("utf-8").rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise ReleaseKeyError(f"{file}: the passphrase cannot be read ({error})") from error
    if not sys.stdin.isatty():
        raise ReleaseKeyError("no terminal to ask for the passphrase: give --passphrase-file")
    given = getpass.getpass("passphrase: ")
    if twice and getpass.getpass("once more: ") != given:
        raise ReleaseKeyError("the two passphrases differ; run the same command again")
    return given


def _run(work: Callable[[], tuple[int, dict[str, Any]]], as_json: bool) -> int:
    try:
        code, told = work()
    except (ImageError, ReleaseError, ReleaseKeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        if as_json:
            print(json.dumps({"ok": False, "error": str(error)}))
        return EXIT_UNUSABLE
    if as_json:
        print(json.dumps({"ok": code == EXIT_DONE, **told}))
    else:
        _tell(told, sys.stdout)
    return code


def _tell(facts: dict[str, Any], to: Any) -> None:
    for key, value in facts.items():
        if isinstance(value, dict):
            for path, size in value.items():
                print(f"{size:8}  {path}", file=to)
        else:
            print(f"{key.replace('_', ' '):12} {value}", file=to)
