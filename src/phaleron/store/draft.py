"""A file that is being written: temporary, locked by its writer, hashed as it comes.

Its descriptor may be in the hands of a thread, or of a commit, when the writer is called away. It is closed when the last of
them has done with it: the number of a descriptor that is closed too early is given to another file, and written to.
"""

import asyncio
import hashlib
import os
from concurrent.futures import Executor, Future
from pathlib import Path

from phaleron.store.errors import no_room
from phaleron.store.temp import open_temp, write_all

_INLINE_BYTES = 64 * 1024
"""Smaller pieces are written in the loop thread: that takes less time than handing them to another."""


class Draft:
    """Write it, then hand it to `Store.commit`, and discard it in any case. `size_bytes` is what has been written.

    `fd` may be read by position until then, after a commit too.
    """

    def __init__(self, directory: Path, executor: Executor) -> None:
        self.fd = -1
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        self._executor = executor
        self._writing: Future[None] | None = None
        self._lent = 0
        self._given_up = False
        self._has_name = True
        self.fd, self.path = open_temp(directory)

    async def write(self, data: bytes) -> None:
        """Append. One write at a time. Raises Busy where the disk is full."""
        try:
            if len(data) < _INLINE_BYTES:
                self._write(self.fd, data)
            else:
                self._writing = self._executor.submit(self._write, self.fd, data)
                await asyncio.shield(asyncio.wrap_future(self._writing))
        except OSError as e:
            raise no_room(e) or e from e
        self.size_bytes += len(data)

    def _write(self, fd: int, data: bytes) -> None:
        write_all(fd, data)
        self._sha256.update(data)

    def sha256(self) -> str:
        """Give the hash of what has been written; lower-case hex."""
        return self._sha256.hexdigest()

    def lend(self) -> None:
        """Keep it, although its writer may discard it, until it is given back: a commit is under way."""
        self._lent += 1

    def give_back(self) -> None:
        """End what `lend` began."""
        self._lent -= 1
        if self._given_up and not self._lent:
            self._close()

    def drop_name(self, *, leave: bool) -> None:
        """Have no temporary name any more: it goes away, or with `leave` stays behind for the next sweep."""
        self._has_name = False
        if not leave:
            self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove it and close it, now or as soon as nobody uses it. What it was linked to stays."""
        self._given_up = True
        if not self._lent:
            self._close()

    def _close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        if self._has_name:
            self.path.unlink(missing_ok=True)
        if self._writing is None:
            os.close(fd)
        else:
            self._writing.add_done_callback(lambda _: os.close(fd))

    def __del__(self) -> None:
        self._close()
