"""Folders on flash: one small act with every call."""

import os

_FOLDER = 0x4000
_ENOENT = 2


def remove_one(folder):
    """Remove one file or one empty folder in `folder`. False when it is empty; it is made when it
    is not there.
    """
    try:
        entries = os.ilistdir(folder)
        for entry in entries:
            path = folder + "/" + entry[0]
            if entry[1] != _FOLDER:
                os.remove(path)
            elif not remove_one(path):
                os.rmdir(path)
            return True
    except OSError as error:
        if error.errno != _ENOENT:
            raise
        os.mkdir(folder)
    return False


def make_folders(path, base):
    """The folders of `path` behind its first `base` characters."""
    at = path.find("/", base + 1)
    while at >= 0:
        if size_of(path[:at]) is None:
            os.mkdir(path[:at])
        at = path.find("/", at + 1)


def size_of(path):
    """Bytes of a file, None when nothing lies there."""
    try:
        return os.stat(path)[6]
    except OSError as error:
        if error.errno != _ENOENT:
            raise
        return None
