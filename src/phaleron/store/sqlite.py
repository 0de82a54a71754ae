"""The catalog in SQLite, for one machine: any number of processes on one file.

Reads run in the loop thread on a connection of their own: one takes some microseconds, and handing it to a thread takes ten
times that. Writes go to one thread, which commits all that has gathered in one transaction, always begun IMMEDIATE: one that
reads first and writes later fails under other writers. Queries are in sql/, each with its name.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from phaleron.errors import Busy
from phaleron.gomod import semver
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.errors import StoreError
from phaleron.store.records import AnswerKind, AnswerRow, Conflict, FeedEntry, FileRow, Kind

SCHEMA_VERSION = 1
_LOCKED_TIMEOUT_S = 30
_BATCH = 256
_CHECKED_WHOLE_BYTES = 32 << 20
"""Up to this size the whole file is checked at start; beyond it that would take too long."""
_TOOLCHAIN = "golang.org/toolchain"
_WANTED: tuple[Kind, ...] = ("info", "mod", "zip")

T = TypeVar("T")


def _queries() -> dict[str, str]:
    text = resources.files("phaleron.store").joinpath("sql/queries.sql").read_text()
    blocks = (block.partition("\n") for block in text.split("-- name: ")[1:])
    return {name.strip(): sql for name, _, sql in blocks}


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCKED_TIMEOUT_S, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    return connection


def _file_row(row: Sequence[Any]) -> FileRow:
    path, version, kind, sha256, size_bytes, origin, h1, at = row
    # What is stored was valid when it was stored: the types are given back without the check.
    return FileRow(
        str.__new__(ModulePath, path),
        str.__new__(Version, version),
        kind,
        sha256,
        size_bytes,
        origin,
        h1,
        datetime.fromisoformat(at) if at else None,
    )


class SqliteCatalog:
    """See records.Catalog. Open and use it in one event loop's thread."""

    def __init__(self, path: Path) -> None:
        """Open the database, making it where there is none. Raises StoreError."""
        self._sql = _queries()
        try:
            self._reader = _connect(path)
            self._migrate(path)
        except sqlite3.DatabaseError as e:
            raise StoreError(
                f"{path}: the catalog cannot be used ({e}); if it is damaged, move it away with its -wal and -shm files: the "
                "modules beside it stay, and are taken in again as they are asked for"
            ) from e
        self._writer = _Writer(path)

    def _migrate(self, path: Path) -> None:
        reader = self._reader
        if path.stat().st_size <= _CHECKED_WHOLE_BYTES:
            (verdict,) = reader.execute("pragma quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(str(verdict).splitlines()[-1])
        (found,) = reader.execute("pragma user_version").fetchone()
        if found == SCHEMA_VERSION:
            return
        reader.execute("begin immediate")
        try:
            (found,) = reader.execute("pragma user_version").fetchone()
            if found > SCHEMA_VERSION:
                raise StoreError(f"{path}: the catalog was written by a newer Phaleron (schema {found}); use that one")
            if found == 0:
                schema = resources.files("phaleron.store").joinpath("sql/schema.sql").read_text()
                for statement in schema.split(";\n"):
                    reader.execute(statement)
                reader.execute(f"pragma user_version = {SCHEMA_VERSION}")
            reader.execute("commit")
        except BaseException:
            reader.execute("rollback")
            raise

    def _read(self, name: str, *arguments: object) -> sqlite3.Cursor:
        return self._reader.execute(self._sql[name], arguments)

    async def file(self, path: ModulePath, version: Version, kind: Kind) -> FileRow | None:
        """See Catalog."""
        row = self._read("file", path, version, kind).fetchone()
        return None if row is None else _file_row(row)

    async def files(self, path: ModulePath) -> Sequence[FileRow]:
        """See Catalog."""
        return [_file_row(row) for row in self._read("files", path)]

    async def record(self, row: FileRow) -> bool:
        """See Catalog."""

        def write(connection: sqlite3.Connection) -> bool:
            kept = connection.execute(self._sql["file"], (row.path, row.version, row.kind)).fetchone()
            if kept is not None and (there := _file_row(kept)).h1 != row.h1:
                raise Conflict(there, row.h1)
            now_us = time.time_ns() // 1000
            connection.execute(
                self._sql["put_file"],
                (
                    row.path,
                    row.version,
                    row.kind,
                    row.sha256,
                    row.size_bytes,
                    row.origin,
                    row.h1,
                    row.time.isoformat() if row.time else None,
                    now_us,
                ),
            )
            return self._complete(connection, row, now_us)

        return await self._writer.run(write)

    def _complete(self, connection: sqlite3.Connection, row: FileRow, now_us: int) -> bool:
        """Insert the version's row and feed entry if all of its files are there now."""
        wanted: tuple[Kind, ...] = ("zip",) if row.path == _TOOLCHAIN else _WANTED
        found: dict[Kind, FileRow] = {}
        for kind in _WANTED:
            there = connection.execute(self._sql["file"], (row.path, row.version, kind)).fetchone()
            if there is not None:
                found[kind] = _file_row(there)
        if any(kind not in found for kind in wanted):
            return False
        if connection.execute(self._sql["has_version"], (row.path, row.version)).fetchone():
            return False
        mod_h1 = found["mod"].h1 if "mod" in found else ""
        at = found["info"].time if "info" in found else None
        connection.execute(
            self._sql["put_version"],
            (row.path, row.version, found["zip"].h1, mod_h1, at.isoformat() if at else None),
        )
        (last_us,) = connection.execute(self._sql["last_at"]).fetchone()
        connection.execute(self._sql["put_feed"], (row.path, row.version, max(now_us, last_us + 1)))
        return True

    async def versions(self, path: ModulePath) -> Sequence[Version]:
        """See Catalog."""
        found = [str.__new__(Version, version) for (version,) in self._read("versions", path)]
        return sorted(found, key=semver.sort_key)

    async def modules(self, after: str, limit: int) -> Sequence[ModulePath]:
        """See Catalog."""
        return [str.__new__(ModulePath, path) for (path,) in self._read("modules", after, limit)]

    async def answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> AnswerRow | None:
        """See Catalog."""
        row = self._read("answer", path, kind, query).fetchone()
        return None if row is None else AnswerRow(path, *row[1:])

    async def put_answer(self, row: AnswerRow) -> None:
        """See Catalog."""
        values = (row.path, row.kind, row.query, row.body, row.origin, row.fetched_at)
        await self._writer.run(lambda connection: connection.execute(self._sql["put_answer"], values) and None)

    async def drop_answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> None:
        """See Catalog."""
        await self._writer.run(
            lambda connection: connection.execute(self._sql["drop_answer"], (path, kind, query)) and None
        )

    async def feed(self, *, since_us: int = 0, after: int = 0, limit: int) -> Sequence[FeedEntry]:
        """See Catalog."""
        return [
            FeedEntry(sequence, str.__new__(ModulePath, path), str.__new__(Version, version), at_us)
            for sequence, path, version, at_us in self._read("feed", since_us, after, limit)
        ]

    async def page(self, after: tuple[str, str], limit: int) -> Sequence[tuple[ModulePath, Version]]:
        """See Catalog."""
        return [
            (str.__new__(ModulePath, path), str.__new__(Version, version))
            for path, version in self._read("page", *after, limit)
        ]

    async def close(self) -> None:
        """See Catalog."""
        await self._writer.close()
        self._reader.close()


class _Job:
    """A write that waits for its turn, and whom to tell."""

    def __init__(self, write: Callable[[sqlite3.Connection], Any]) -> None:
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self.loop.create_future()

    def tell(self, result: object, error: BaseException | None) -> None:
        def settle() -> None:
            if self.done.done():
                return  # whoever asked has been called away; the write stands
            if error is None:
                self.done.set_result(result)
            else:
                self.done.set_exception(error)

        self.loop.call_soon_threadsafe(settle)


class _Writer:
    """The thread that writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="catalog-writer", daemon=True)
        self._thread.start()

    async def run(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Do one write; return when it is committed. Raises Busy where the database is full or locked for too long."""
        job = _Job(write)
        self._jobs.put(job)
        result: T = await job.done
        return result

    def _work(self) -> None:
        connection = _connect(self._path)
        try:
            while (job := self._jobs.get()) is not None:
                jobs = [job]
                while len(jobs) < _BATCH and not self._jobs.empty():
                    more = self._jobs.get()
                    if more is None:
                        self._jobs.put(None)
                        break
                    jobs.append(more)
                self._write(connection, jobs)
        finally:
            connection.close()

    def _write(self, connection: sqlite3.Connection, jobs: list[_Job]) -> None:
        outcomes: list[tuple[_Job, object, BaseException | None]] = []
        try:
            connection.execute("begin immediate")
            for job in jobs:
                connection.execute("savepoint job")
                try:
                    outcomes.append((job, job.write(connection), None))
                except Conflict as e:
                    connection.execute("rollback to job")
                    outcomes.append((job, None, e))
                connection.execute("release job")
            connection.execute("commit")
        except Exception as e:  # noqa: BLE001 - whatever it is, those who wait must hear of it, and the thread goes on
            if connection.in_transaction:
                connection.execute("rollback")
            error = Busy(f"the catalog cannot be written: {e}") if isinstance(e, sqlite3.OperationalError) else e
            outcomes = [(job, None, error) for job in jobs]
        for job, result, failed in outcomes:
            job.tell(result, failed)

    async def close(self) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
