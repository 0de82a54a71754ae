"""The catalog in SQLite, for one machine: any number of processes on one file.

Reads run in the loop thread on a connection of their own: one takes some microseconds, and handing it to a thread takes ten
times that. Writes go to one thread (`sqlite_writer`), in transactions that are always begun IMMEDIATE. Queries are in sql/,
each with its name; how a database is opened is in `sqlite_open`.
"""

import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from phaleron.errors import Busy
from phaleron.gomod import semver
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import AnswerKind, AnswerRow, ClaimRow, Conflict, FeedEntry, FileRow, Kind
from phaleron.store.sqlite_open import open_database, queries
from phaleron.store.sqlite_writer import SqliteWriter

_TOOLCHAIN = "golang.org/toolchain"
"""Of this module clients fetch the zip alone: protocol.md section 14."""
_WANTED: tuple[Kind, ...] = ("info", "mod", "zip")


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
        self._sql = queries()
        self._reader, writer = open_database(path)
        self._writer = SqliteWriter(writer)

    def _rows(self, name: str, *arguments: object) -> list[Any]:
        try:
            return self._reader.execute(self._sql[name], arguments).fetchall()
        except sqlite3.DatabaseError as e:
            raise Busy(f"the catalog cannot be read now: {e}") from e

    def _row(self, name: str, *arguments: object) -> Any:
        rows = self._rows(name, *arguments)
        return rows[0] if rows else None

    async def file(self, path: ModulePath, version: Version, kind: Kind) -> FileRow | None:
        """See Catalog."""
        row = self._row("file", path, version, kind)
        return None if row is None else _file_row(row)

    async def files(self, path: ModulePath) -> Sequence[FileRow]:
        """See Catalog."""
        return [_file_row(row) for row in self._rows("files", path)]

    async def lost(self, path: ModulePath, version: Version, kind: Kind) -> FileRow | None:
        """See Catalog."""
        row = self._row("known_file", path, version, kind)
        return _file_row(row[:-1]) if row is not None and row[-1] else None

    async def record(self, row: FileRow) -> bool:
        """See Catalog."""

        def write(connection: sqlite3.Connection) -> bool:
            known = connection.execute(self._sql["known_file"], (row.path, row.version, row.kind)).fetchone()
            if known is not None:
                kept = _file_row(known[:-1])
                if kept.h1 != row.h1:
                    raise Conflict(kept, row.h1)
                if not known[-1]:
                    return False
            now_us = time.time_ns() // 1000
            at = row.time.isoformat() if row.time else None
            connection.execute(
                self._sql["put_file"],
                (row.path, row.version, row.kind, row.sha256, row.size_bytes, row.origin, row.h1, at, now_us),
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

    async def forget(self, row: FileRow) -> None:
        """See Catalog."""
        await self._write("forget", row.path, row.version, row.kind, row.sha256)

    async def is_complete(self, path: ModulePath, version: Version) -> bool:
        """See Catalog."""
        return self._row("has_version", path, version) is not None

    async def versions(self, path: ModulePath) -> Sequence[Version]:
        """See Catalog."""
        found = [str.__new__(Version, version) for (version,) in self._rows("versions", path)]
        return sorted(found, key=semver.sort_key)

    async def modules(self, after: str, limit: int) -> Sequence[ModulePath]:
        """See Catalog."""
        return [str.__new__(ModulePath, path) for (path,) in self._rows("modules", after, limit)]

    async def answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> AnswerRow | None:
        """See Catalog."""
        row = self._row("answer", path, kind, query)
        return None if row is None else AnswerRow(path, *row[1:])

    async def put_answer(self, row: AnswerRow) -> None:
        """See Catalog."""
        await self._write("put_answer", row.path, row.kind, row.query, row.body, row.origin, row.fetched_at)

    async def drop_answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> None:
        """See Catalog."""
        await self._write("drop_answer", path, kind, query)

    async def feed(self, *, since_us: int = 0, after: int = 0, limit: int) -> Sequence[FeedEntry]:
        """See Catalog."""
        return [
            FeedEntry(sequence, str.__new__(ModulePath, path), str.__new__(Version, version), at_us)
            for sequence, path, version, at_us in self._rows("feed", since_us, after, limit)
        ]

    async def page(self, after: tuple[str, str], limit: int) -> Sequence[tuple[ModulePath, Version]]:
        """See Catalog."""
        return [
            (str.__new__(ModulePath, path), str.__new__(Version, version))
            for path, version in self._rows("page", *after, limit)
        ]

    async def claim(self, row: ClaimRow) -> bool:
        """See Catalog."""
        values = (row.path, row.version, ",".join(row.kinds), time.time_ns() // 1000)

        def write(connection: sqlite3.Connection) -> bool:
            return connection.execute(self._sql["put_claim"], values).rowcount == 1

        return await self._writer.run(write)

    async def claims(self) -> Sequence[ClaimRow]:
        """See Catalog."""
        return [
            ClaimRow(
                str.__new__(ModulePath, path),
                str.__new__(Version, version),
                tuple(kind for kind in _WANTED if kind in kinds.split(",")),
            )
            for path, version, kinds in self._rows("claims")
        ]

    async def unclaim(self, row: ClaimRow, *, undo: bool) -> None:
        """See Catalog."""

        def write(connection: sqlite3.Connection) -> None:
            for kind in row.kinds if undo else ():
                connection.execute(self._sql["drop_file"], (row.path, row.version, kind))
            connection.execute(self._sql["drop_claim"], (row.path, row.version))

        await self._writer.run(write)

    async def _write(self, name: str, *arguments: object) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(self._sql[name], arguments)

        await self._writer.run(write)

    async def close(self) -> None:
        """See Catalog."""
        await self._writer.close()
        self._reader.close()
