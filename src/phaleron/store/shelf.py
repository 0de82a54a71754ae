"""A shelf of small files that never change, by name: the checksum database's tiles and records.

Names are those of the URLs they came from, parsed by the caller: `/`-separated, without `.` or `..` elements.
"""

import asyncio
import errno
from pathlib import Path

from phaleron.errors import Busy
from phaleron.store.temp import write_atomic

_NOT_THERE = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG)


class Shelf:
    """Files below one directory; `temporary` is where they are written first, on the same file system."""

    def __init__(self, directory: Path, temporary: Path) -> None:
        self._directory = directory
        self._temporary = temporary

    def get(self, section: str, name: str) -> bytes | None:
        """Read a file, or None."""
        try:
            return (self._directory / section / name).read_bytes()
        except OSError as e:
            if e.errno in _NOT_THERE:
                return None
            raise

    def widest(self, section: str, name: str, at_least: int) -> bytes | None:
        """Among files in the folder `name` that are named by a number, read the highest one that is at least so high."""
        try:
            numbers = [int(p.name) for p in (self._directory / section / name).iterdir() if p.name.isdigit()]
        except (FileNotFoundError, NotADirectoryError):
            return None
        highest = max(numbers, default=0)
        return self.get(section, f"{name}/{highest}") if highest >= at_least else None

    async def put(self, section: str, name: str, body: bytes) -> None:
        """Keep a file. One that cannot be kept (a full disk) is only asked for again, so that is no error."""
        try:
            await asyncio.to_thread(write_atomic, self._temporary, self._directory / section / name, body)
        except Busy:
            return
        except OSError as e:
            if e.errno != errno.ENAMETOOLONG:
                raise
