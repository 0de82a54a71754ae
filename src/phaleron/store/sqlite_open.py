"""How a catalog's database file is opened, made and checked, and the queries that are asked of it.

Several processes may open one file at once: one at a time makes or migrates it. What is wrong with a file is said in one line.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path

from phaleron.store.errors import StoreError

SCHEMA_VERSION = 1
LOCKED_TIMEOUT_S = 30
"""How long a write waits for other processes' writes."""
_READ_TIMEOUT_S = 2
"""A read waits only for the recovery that follows a kill; it is made in the loop thread, which must not stand for long."""
_CHECKED_WHOLE_BYTES = 32 << 20
"""Up to this size the whole file is checked at start; beyond it that would take too long."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _text(name: str) -> str:
    return resources.files("phaleron.store").joinpath("sql", name).read_text(encoding="utf-8")


@cache
def queries() -> dict[str, str]:
    """Give the text of each query by its name."""
    blocks = (block.partition("\n") for block in _text("queries.sql").split("-- name: ")[1:])
    return {name.strip(): sql for name, _, sql in blocks}


def open_database(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open a database for (reading in this thread, writing in any one), making it where there is none. Raises StoreError."""
    opened: list[sqlite3.Connection] = []
    try:
        with _alone(path.parent):
            for timeout_s in (_READ_TIMEOUT_S, LOCKED_TIMEOUT_S):
                opened.append(sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False))
            reader, writer = opened
            for connection in opened:
                connection.execute("pragma journal_mode = wal")
                # A power cut may lose the last commits, never damage the file; a kill loses nothing.
                connection.execute("pragma synchronous = normal")
            _check(reader, path)
            _migrate(writer, path)
            reader.execute("pragma query_only = on")
    except (sqlite3.Error, OSError, StoreError) as e:
        for connection in opened:
            connection.close()
        raise e if isinstance(e, StoreError) else StoreError(_fault(path, e)) from e
    return reader, writer


def _fault(path: Path, error: sqlite3.Error | OSError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return (
            f"{path}: the catalog is damaged ({error}); move it away with its -wal and -shm files: the modules beside it stay, "
            "and are taken in again as they are asked for"
        )
    if code == sqlite3.SQLITE_FULL:
        return f"{path}: the catalog cannot be opened ({error}); make room on the disk"
    return f"{path}: the catalog cannot be opened ({error}); see that it is a file that this user may write"


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let one process at a time go on: SQLite does not wait, whatever its timeout, where two set a new file to WAL.

    The directory is locked, and not the file: to close any descriptor of a database takes away SQLite's own locks on it.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > _CHECKED_WHOLE_BYTES:
        return
    (verdict,) = connection.execute("pragma quick_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(" ".join(str(verdict).split()))
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("pragma user_version").fetchone()
    if found == SCHEMA_VERSION:
        return
    if found > SCHEMA_VERSION:
        raise StoreError(f"{path}: the catalog was written by a newer Phaleron (schema {found}); use that one")
    connection.execute("begin immediate")
    try:
        for statement in _text("schema.sql").split(";\n"):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
