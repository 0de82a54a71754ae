"""A stored file, open for reading: one descriptor for all who read it, closed when the last of them lets it go."""

import asyncio
import os
from collections.abc import AsyncIterator

from phaleron.store.records import FileRow

_PIECE_BYTES = 256 * 1024


class Blob:
    """One stored file; Content for those who serve it (see sources).

    `fd` is shared: read it by position and send it by offset only.
    """

    __slots__ = ("__weakref__", "fd", "row")

    def __init__(self, row: FileRow, fd: int) -> None:
        self.row = row
        self.fd = fd

    @property
    def size_bytes(self) -> int:
        """The whole length."""
        return self.row.size_bytes

    @property
    def origin(self) -> str:
        """Who gave it."""
        return self.row.origin

    @property
    def etag(self) -> bytes:
        """A strong ETag of HTTP, with its quotes."""
        return f'"{self.row.sha256}"'.encode()

    def read(self) -> bytes:
        """Read it whole: for small ones."""
        return os.pread(self.fd, self.row.size_bytes, 0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        for at in range(0, self.row.size_bytes, _PIECE_BYTES):
            yield await loop.run_in_executor(None, os.pread, self.fd, _PIECE_BYTES, at)

    def __del__(self) -> None:
        os.close(self.fd)
