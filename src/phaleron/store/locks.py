"""Locks between processes on one directory: flights are single across them, and end with the process that held them.

A lock is a file under `locks/`, held by flock. Its holder removes it before letting go, so the folder stays small; whoever
gets hold of a file that is no longer there tries again with the new one.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from phaleron.store.errors import no_room

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.05


class Locks:
    """Locks by key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of `key`; wait while another holds it, in this process or any other."""
        path = self._directory / hashlib.sha256(key.encode()).hexdigest()[:32]
        pause_s = _FIRST_PAUSE_S
        while (fd := self._take(path)) is None:
            # flock has no way to wait that does not take a thread, and waiters may be many.
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)

    @staticmethod
    def _take(path: Path) -> int | None:
        while True:
            try:
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as e:
                raise no_room(e) or e from e
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return None
            try:
                if os.path.samestat(os.fstat(fd), path.stat()):
                    return fd
            except FileNotFoundError:
                pass
            os.close(fd)  # its last holder removed it between our opening and locking it

    def sweep(self) -> None:
        """Remove what dead processes left."""
        for path in self._directory.iterdir():
            fd = self._take(path)
            if fd is not None:
                path.unlink(missing_ok=True)
                os.close(fd)
