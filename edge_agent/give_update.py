"""`tongban terminal update`: a release checked and put where the agent finds it."""

from pathlib import Path

from edge_agent.technician.release_file import ReleaseError, read_release
from edge_agent.technician.release_key import ReleaseKeyError, read_public
from edge_agent.update_folder import UpdateFolder


class GiveError(Exception):
    """The release was not put in place; the text says why and what to do."""


def give(path: Path, data: Path, public: Path | None) -> dict[str, object]:
    """What was put there. Raises GiveError."""
    try:
        release = read_release(path)
        key = read_public(public) if public else None
    except (ReleaseError, ReleaseKeyError) as error:
        raise GiveError(str(error)) from error
    if not release.signature:
        raise GiveError(f"{path}: not signed; boards refuse it. Sign it: tongban release sign")
    if key is not None and not key.has_signed(release):
        raise GiveError(
            f"{path}: signed with another key than {public}. Compare the fingerprints with who "
            "signed it: tongban release verify"
        )
    if not data.is_dir():
        raise GiveError(f"{data}: no such folder. Give the agent's data folder with --data.")
    try:
        UpdateFolder(data).put(release)
    except OSError as error:
        raise GiveError(
            f"{data}: cannot be written ({error.strerror}). Run this as the agent's user."
        ) from error
    return {
        "board": release.board,
        "version": release.version,
        "name": release.name,
        "release": f"{release.id:016x}",
    }
