"""The module source that answers from the store alone: for `Disable-Module-Fetch`, `/cached-only`, and when origins are down.

What is not kept is NotFound here, and no origin hears of it.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from phaleron.errors import NotFound
from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.info import Info, parse_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.mirror.lists import compatible, decode_list, encode_list, latest_of, union
from phaleron.sources.source import Answer, Content
from phaleron.store.records import AnswerRow
from phaleron.store.store import Store


def info_answer(body: bytes, row: AnswerRow | None = None, *, stale: bool = False, origin: str = "") -> Answer[Info]:
    """Make the answer for an `.info` body that was checked before it was kept."""
    if row is None:
        return Answer(parse_info(body), body, origin)
    return Answer(parse_info(body), body, row.origin, max(0.0, time.time() - row.fetched_at), stale)


def synthetic_mod_h1(path: ModulePath) -> str:
    """Give the h1 of the go.mod that stands in for one that a module has not: the client knows it by these very bytes."""
    return hash_mod(f"module {path}\n".encode())


class Kept:
    """Answers from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """Join the last list that the origin gave with the complete versions kept."""
        row = await self._store.catalog.answer(path, "list")
        kept = await self._store.catalog.versions(path)
        if row is None and not kept:
            raise NotFound(f"{path}: nothing is kept here, and fetching is switched off for this request")
        return self.listed(row, kept)

    @staticmethod
    def listed(row: AnswerRow | None, kept: Sequence[Version], *, stale: bool = False) -> Answer[tuple[Version, ...]]:
        """Make a list's answer out of the origin's word (None: it has none) and the versions kept."""
        listed = decode_list(row.body) if row else ()
        versions = union(listed, kept)
        if row is None:
            return Answer(versions, encode_list(versions))
        body = row.body if versions is listed else encode_list(versions)
        return Answer(versions, body, row.origin, max(0.0, time.time() - row.fetched_at), stale)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """Give the origin's last word, else choose among what is kept."""
        row = await self._store.catalog.answer(path, "latest")
        if row is not None:
            return info_answer(row.body, row)
        version = await self.choose_latest(path, await self._store.catalog.versions(path))
        if version is None:
            raise NotFound(f"{path}@latest: nothing is kept here, and fetching is switched off for this request")
        return await self.info(path, version)

    async def choose_latest(self, path: ModulePath, versions: Sequence[Version]) -> Version | None:
        """Choose the latest of `versions` as the go command does.

        `+incompatible` ones do not count where the highest compatible version has a go.mod of its own.
        """
        plain = compatible(versions)
        newest = latest_of(plain)
        if newest is not None and len(plain) < len(versions):
            row = await self._store.catalog.file(path, newest, "mod")
            if row is not None and row.h1 != synthetic_mod_h1(path):
                return newest
        return latest_of(versions)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """Give a stored `.info`, or the origin's last word on a query."""
        if isinstance(query, Version):
            blob = await self._store.get(path, query, "info")
            if blob is not None:
                return info_answer(blob.read(), origin=blob.origin)
        else:
            row = await self._store.catalog.answer(path, "query", query)
            if row is not None:
                return info_answer(row.body, row)
        raise _not_kept(path, query)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """Give a stored go.mod."""
        blob = await self._store.get(path, version, "mod")
        if blob is None:
            raise _not_kept(path, version)
        body = blob.read()
        return Answer(body, body, blob.origin)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """Open a stored zip."""
        blob = await self._store.get(path, version, "zip")
        if blob is None:
            raise _not_kept(path, version)
        yield blob


def _not_kept(path: ModulePath, version: str) -> NotFound:
    return NotFound(f"{path}@{version}: not kept here, and fetching is switched off for this request")
