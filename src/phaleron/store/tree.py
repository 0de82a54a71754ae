"""The tree of blobs: `modules/`, which is a valid GOPROXY=file:// tree. Names, links and descriptors, no rows.

Nothing here decides what may be kept under which name; whoever puts or removes holds that name's lock.
"""

import errno
import os
import stat
from pathlib import Path

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.errors import no_room
from phaleron.store.records import blob_key
from phaleron.store.temp import leads_to

_CANNOT_BE_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


class BlobTree:
    """The files below one directory, by key (see records.blob_key)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._most_name_bytes = os.pathconf(directory, "PC_NAME_MAX")
        # The limit counts the end of the string, and holds for the names that callers use: ours, and absolute ones.
        self._most_key_bytes = os.pathconf(directory, "PC_PATH_MAX") - len(os.fsencode(directory.absolute())) - 2

    def can_hold(self, path: ModulePath, version: Version) -> bool:
        """Tell whether the file system can hold the names of a version's files. Does no I/O."""
        key = blob_key(path, version, "info")  # no kind has a longer name; keys are ASCII
        return len(key) <= self._most_key_bytes and max(map(len, key.split("/"))) <= self._most_name_bytes

    def file(self, key: str) -> Path:
        """Give the path of a key's file."""
        return self._directory / key

    def has(self, key: str) -> bool:
        """Tell whether a file has this name."""
        try:
            return stat.S_ISREG(self.file(key).stat().st_mode)
        except OSError:
            return False

    def open(self, key: str) -> int | None:
        """Open a file for reading, or give None where there is none. Raises Busy without descriptors."""
        try:
            return os.open(self.file(key), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            if e.errno in _CANNOT_BE_THERE:
                return None
            raise no_room(e) or e from e

    def put(self, temp: Path, key: str) -> None:
        """Give a synced file its name, so that a power cut leaves it there. Raises OSError (FileExistsError: it is taken).

        Call it in a thread: it waits for the disk.
        """
        file = self.file(key)
        self._make_folder(file.parent)
        os.link(temp, file)
        _sync(file.parent)

    def remove(self, key: str) -> None:
        """Take a name away. What is open stays readable. Raises Busy where that cannot be done now."""
        try:
            self.file(key).unlink(missing_ok=True)
        except OSError as e:
            raise no_room(e) or e from e

    def is_named(self, key: str, fd: int) -> bool:
        """Tell whether the open file has this name."""
        return leads_to(self.file(key), fd)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
