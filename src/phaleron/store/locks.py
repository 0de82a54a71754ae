"""Locks between processes on one directory: flights are single across them, and end with the process that held them.

A lock is a file under `locks/`, held by flock. Its holder removes it before letting go, so the folder stays small; whoever
gets hold of a file that is no longer there tries again with the new one.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from phaleron.store.errors import no_room
from phaleron.store.temp import leads_to

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.05


class Locks:
    """Locks by key. Use them in one event loop's thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # Those of one process queue up here, so that one of them polls and each wakes as soon as it may.
        self._queues: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of `key`; wait while another holds it, in this process or any other. Raises Busy."""
        path = self._path(key)
        queue = self._queues.get(path)
        if queue is None:
            queue = self._queues[path] = asyncio.Lock()
        async with queue:
            pause_s = _FIRST_PAUSE_S
            while (fd := _take(path)) is None:
                # flock has no way to wait that does not take a thread, and waiters may be many.
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
            try:
                yield
            finally:
                _release(path, fd)

    @contextmanager
    def try_hold(self, key: str) -> Iterator[bool]:
        """Hold the lock of `key` if nobody does: True, else False. Raises Busy."""
        path = self._path(key)
        fd = _take(path)
        try:
            yield fd is not None
        finally:
            if fd is not None:
                _release(path, fd)

    def sweep(self) -> None:
        """Remove what dead processes left. Raises Busy."""
        for path in self._directory.iterdir():
            fd = _take(path)
            if fd is not None:
                _release(path, fd)

    def _path(self, key: str) -> Path:
        return self._directory / hashlib.sha256(key.encode()).hexdigest()[:32]


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
        if leads_to(path, fd):
            return fd
        os.close(fd)  # its last holder removed it between our opening and locking it


def _release(path: Path, fd: int) -> None:
    path.unlink(missing_ok=True)
    # Closing alone would leave the lock to a child that was forked meanwhile and has the descriptor too.
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)
