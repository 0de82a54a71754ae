"""A file that is being written: temporary, locked by its writer, hashed as it comes."""

import asyncio
import hashlib
import os
from concurrent.futures import Executor
from pathlib import Path

from phaleron.store.errors import no_room
from phaleron.store.temp import open_temp, write_all

_INLINE_BYTES = 64 * 1024
"""Smaller pieces are written in the loop thread: that takes less time than handing them to another."""


class Draft:
    """Write it, then hand it to `Store.commit`, or discard it. `size_bytes` is what has been written."""

    def __init__(self, directory: Path, executor: Executor) -> None:
        self.fd, self.path = open_temp(directory)
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        self._executor = executor

    async def write(self, data: bytes) -> None:
        """Append. Raises Busy where the disk is full."""
        try:
            if len(data) < _INLINE_BYTES:
                self._write(data)
            else:
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, self._write, data))
        except OSError as e:
            raise no_room(e) or e from e
        self.size_bytes += len(data)

    def _write(self, data: bytes) -> None:
        write_all(self.fd, data)
        self._sha256.update(data)

    def sha256(self) -> str:
        """Give the hash of what has been written; lower-case hex."""
        return self._sha256.hexdigest()

    def discard(self) -> None:
        """Remove it, if it is still there. What it was linked to stays."""
        if self.fd >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self.fd)
            self.fd = -1
