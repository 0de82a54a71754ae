"""The one place where temporary files are made: in `tmp/`, locked by their writer for as long as it lives.

The lock is how a sweep tells a file that is being written from one whose writer is dead.
"""

import fcntl
import os
from pathlib import Path
from uuid import uuid4

from phaleron.store.errors import no_room

SUFFIX = ".part"


def open_temp(directory: Path) -> tuple[int, Path]:
    """Make a temporary file; give its descriptor, which holds the lock, and its path. Raises Busy where there is no room."""
    while True:
        path = directory / f"{uuid4().hex}{SUFFIX}"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as e:
            raise no_room(e) or e from e
        if _lock(fd) and leads_to(path, fd):
            return fd, path
        os.close(fd)  # a sweep was quicker: it has taken the file away


def lock_abandoned(path: Path) -> int | None:
    """Lock a temporary file whose writer is dead; give the descriptor that holds the lock, or None where it lives."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if _lock(fd) and leads_to(path, fd):
        return fd
    os.close(fd)
    return None


def write_atomic(directory: Path, path: Path, data: bytes) -> None:
    """Write a file that is whole or not there: by way of `directory`, on the same file system. Raises Busy without room.

    Call it in a thread: it waits for the disk.
    """
    fd, temp = open_temp(directory)
    try:
        write_all(fd, data)
        os.fsync(fd)
        path.parent.mkdir(parents=True, exist_ok=True)
        temp.replace(path)
    except OSError as e:
        temp.unlink(missing_ok=True)
        raise no_room(e) or e from e
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def leads_to(path: Path, fd: int) -> bool:
    """Tell whether a path is a name of the open file."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
