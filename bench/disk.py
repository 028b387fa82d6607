"""Where a benchmark of durable writes may run: a real disk, never memory."""

from pathlib import Path

MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}


class NoDiskError(Exception):
    """The folder lies in memory, where a commit costs nothing and a ratio means nothing."""


def file_system_of(folder: Path) -> str:
    """Type of the file system `folder` lies on, "unknown" where the system does not say."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "unknown"
    best = ("", "unknown")
    for line in mounts.read_text("utf-8").splitlines():
        _, point, kind, *_ = line.split()
        inside = folder.resolve().is_relative_to(point)
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def check_disk(folder: Path) -> str:
    """The type of the file system; NoDiskError when it lies in memory."""
    kind = file_system_of(folder)
    if kind in MEMORY_FILE_SYSTEMS:
        raise NoDiskError(
            f"{folder} is on {kind}: give a folder on a disk with --folder, as in --folder ~/bench"
        )
    return kind
