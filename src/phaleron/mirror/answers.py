"""What origins say about lists, `@latest` and queries: kept in the catalog over restarts, refreshed when it is old.

Fresh: answered at once. Stale: answered at once, and one refresh goes on behind it. Older: the refresh is waited for, for a
while, then the old one is served. Never seen: one refresh, waited for. While an origin is down what is kept is served in
milliseconds, and a breaker lets one request in a while try again. An answer is asked for once in all processes.
"""

import asyncio
import time

import structlog

from phaleron.errors import Busy, Gone, NotFound, PhaleronError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query
from phaleron.mirror.files import Files
from phaleron.mirror.flights import Flights
from phaleron.mirror.lists import encode_list
from phaleron.mirror.memory import ShortMemory, Troubles
from phaleron.mirror.options import MirrorOptions
from phaleron.sources.source import ModuleSource
from phaleron.store.records import AnswerKind, AnswerRow
from phaleron.store.store import Store

_Key = tuple[ModulePath, AnswerKind, str]
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Answers:
    """Rows of answers, with their freshness."""

    def __init__(self, source: ModuleSource, store: Store, files: Files, options: MirrorOptions) -> None:
        self._source = source
        self._store = store
        self._files = files
        self._options = options
        self._flights = Flights[AnswerRow]()
        self._troubles = Troubles[_Key](
            absent_s=options.absent_s, failed_s=options.failed_s, entries=options.absent_entries
        )
        self._broken = ShortMemory[str, bool](options.breaker_s, 1000)

    async def get(self, path: ModulePath, kind: AnswerKind, query: str = "") -> tuple[AnswerRow, bool]:
        """Give an answer, and whether it is stale. Raises what the origin raised where nothing is kept."""
        key = (path, kind, query)
        row = await self._store.catalog.answer(path, kind, query)
        if row is None:
            self._troubles.recall(key)
            return await self._flights.result(key, lambda flight: self._refresh(key, None)), False
        # A clock that was set back must not make an answer fresh for ever.
        age_s = abs(time.time() - row.fetched_at)
        if age_s < self._options.fresh_s:
            return row, False
        if self._broken.get(row.origin):
            return row, True
        self._flights.start_behind(key, lambda flight: self._refresh(key, row))
        if age_s < self._options.fresh_s + self._options.stale_s:
            return row, True
        return await self._wait(key, row)

    async def _wait(self, key: _Key, row: AnswerRow) -> tuple[AnswerRow, bool]:
        async with self._flights.join(key, lambda flight: self._refresh(key, row)) as flight:
            await asyncio.wait({flight.task}, timeout=self._options.refresh_wait_s)
            if not flight.task.done():
                self._broken.put(row.origin, True)  # one has waited for it; the others need not
                return row, True
            try:
                return flight.task.result(), False
            except (NotFound, Gone):
                raise
            except PhaleronError:
                return row, True

    async def _refresh(self, key: _Key, old: AnswerRow | None) -> AnswerRow:
        path, kind, query = key
        try:
            async with self._store.flight(f"{path}@{kind}:{query}"):
                row = await self._store.catalog.answer(path, kind, query)
                if row is not None and (old is None or row.fetched_at > old.fetched_at):
                    return row  # another process has just asked
                row = await self._ask(path, kind, query)
        except (NotFound, Gone) as e:
            self._troubles.note(key, e)
            if old is not None:
                await self._store.catalog.drop_answer(path, kind, query)
            raise
        except PhaleronError as e:
            self._troubles.note(key, e)
            if old is not None:
                _log.warning(
                    "origin failed, serving what is kept", module=path, asked=kind, origin=old.origin, error=str(e)
                )
                if not isinstance(e, Busy):
                    self._broken.put(old.origin, True)
            raise
        self._troubles.clear(key)
        try:
            await self._store.catalog.put_answer(row)
        except Busy as e:
            _log.warning("an answer could not be kept", module=path, asked=kind, error=str(e))
        return row

    async def _ask(self, path: ModulePath, kind: AnswerKind, query: str) -> AnswerRow:
        if kind == "list":
            versions = await self._source.versions(path)
            self._files.named(path, versions.value)
            return AnswerRow(path, kind, query, encode_list(versions.value), versions.origin, time.time())
        info = await (self._source.latest(path) if kind == "latest" else self._source.info(path, Query(query)))
        # The client goes on to the version's other files and asks for no .info again: this one completes the version.
        if await self._store.catalog.file(path, info.value.version, "info") is None:
            await self._files.keep_answered_info(path, info)
        return AnswerRow(path, kind, query, info.body, info.origin, time.time())

    async def close(self) -> None:
        """Call off what is under way."""
        await self._flights.close()
