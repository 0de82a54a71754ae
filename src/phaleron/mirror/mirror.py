"""The pull-through module source: what is stored is served, what is not is fetched once, stored and served.

It puts together the files of versions, what origins say about lists and queries, and what is kept here when they say
nothing. The list of a module is the origin's joined with the complete versions kept.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from phaleron.errors import Gone, NotFound, PhaleronError
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.mirror.answers import Answers
from phaleron.mirror.arriving import Arriving
from phaleron.mirror.files import FileKey, Files
from phaleron.mirror.kept import Kept, info_answer
from phaleron.mirror.options import MirrorOptions
from phaleron.sources.source import Answer, Content, ModuleSource
from phaleron.store.store import Store


class Mirror:
    """A module source over another and a store. Close it when nothing is served any more."""

    def __init__(self, source: ModuleSource, store: Store, options: MirrorOptions | None = None) -> None:
        self._options = options or MirrorOptions()
        self._store = store
        self._kept = Kept(store)
        self._files = Files(source, store, self._options)
        self._answers = Answers(source, store, self._files, self._options)

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """List the origin's versions and those kept. NotFound: the origin knows no such module, and none is kept."""
        kept = await self._store.catalog.versions(path)
        try:
            row, stale = await self._answers.get(path, "list")
        except PhaleronError:
            # Where nothing but pseudo-versions is kept the list is empty, and the client goes on to ask for @latest.
            if not kept:
                raise
            return self._kept.listed(None, kept, stale=True)
        return self._kept.listed(row, kept, stale=stale)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """Give the origin's own answer; where it has none, or is down and nothing is kept, choose from list and store."""
        try:
            row, stale = await self._answers.get(path, "latest")
        except PhaleronError as said:
            version = await self._best(path, said)
            if version is None:
                raise
            return await self.info(path, version)
        return info_answer(row.body, row, stale=stale)

    async def _best(self, path: ModulePath, said: PhaleronError) -> Version | None:
        """Choose the latest version; `said` is what the origin said to `@latest`."""
        kept = await self._store.catalog.versions(path)
        try:
            listed = (await self.versions(path)).value
        except (NotFound, Gone):
            listed = ()
        except PhaleronError:
            if not kept:
                raise
            listed = ()
        return await self._kept.choose_latest(path, (*listed, *kept))

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """Give a version's `.info`, or what the origin says a query stands for."""
        if isinstance(query, Version):
            blob = await self._files.get(path, query, "info")
            return info_answer(blob.read(), origin=blob.origin)
        row, stale = await self._answers.get(path, "query", query)
        return info_answer(row.body, row, stale=stale)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """Give a version's go.mod."""
        blob = await self._files.get(path, version, "mod")
        body = blob.read()
        return Answer(body, body, blob.origin)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """Open a version's zip: the stored blob, or, where it takes long to come, an `Arriving` one."""
        key: FileKey = (path, version, "zip")
        blob = await self._files.stored(key)
        if blob is not None:
            yield blob
            return
        async with self._files.flights.join(key, lambda flight: self._files.fetch(flight, key)) as flight:
            await asyncio.wait({flight.task}, timeout=self._options.first_byte_s)
            while not flight.task.done():
                if flight.size_bytes is not None and flight.fd >= 0:
                    arriving = Arriving(flight, flight.size_bytes)
                    try:
                        yield arriving
                    finally:
                        arriving.close()
                    return
                await flight.moved()
            yield flight.task.result()

    async def close(self) -> None:
        """Call off what is under way and wait for its end."""
        await self._answers.close()
        await self._files.close()
