"""Fetching one file of a version: once for everybody, verified, stored, and only then answered.

What comes in is a question that the store could not answer; what goes out is the stored blob, or one of the closed set of
errors, which is remembered for a short while. A version's three files come one by one, each when it is asked for.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog
from isal import isal_zlib

from phaleron.errors import Busy, NotFound, OriginFailed, PhaleronError, Untrusted
from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import Info, encode_info
from phaleron.gomod.modzip import verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo
from phaleron.gomod.version import Version
from phaleron.mirror.flights import Flight, Flights
from phaleron.mirror.memory import Troubles
from phaleron.mirror.options import MirrorOptions
from phaleron.sources.source import Answer, ModuleSource
from phaleron.store.blob import Blob
from phaleron.store.records import Conflict, Kind
from phaleron.store.store import Store

KINDS: tuple[Kind, ...] = ("info", "mod", "zip")
FileKey = tuple[ModulePath, Version, Kind]
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Files:
    """The files of versions: from the store, else from the origin into the store."""

    def __init__(self, source: ModuleSource, store: Store, options: MirrorOptions) -> None:
        self._source = source
        self._store = store
        self._flights = Flights[Blob]()
        self._troubles = Troubles[FileKey](
            absent_s=options.absent_s, failed_s=options.failed_s, entries=options.absent_entries
        )
        # One zip a thread: threads on one zip gain nothing, and two are enough to keep two cores busy.
        self._verifiers = ThreadPoolExecutor(2, "verify")
        self._complete = options.complete

    @property
    def flights(self) -> Flights[Blob]:
        """The fetches under way."""
        return self._flights

    async def get(self, path: ModulePath, version: Version, kind: Kind) -> Blob:
        """Give a file. Raises what the origin raised, also where that was a short while ago."""
        key = (path, version, kind)
        blob = await self.stored(key)
        if blob is not None:
            return blob
        return await self._flights.result(key, lambda flight: self.fetch(flight, key))

    async def stored(self, key: FileKey) -> Blob | None:
        """Give a file if it is stored. Raises what is remembered of it if it is not, NotFound where it can never be."""
        blob = await self._store.get(*key)
        if blob is None:
            path, version, _ = key
            if not self._store.can_hold(path, version):
                raise NotFound(f"{path}@{version}: its name is longer than a file system can hold")
            self._troubles.recall(key)
        return blob

    def named(self, path: ModulePath, versions: tuple[Version, ...]) -> None:
        """Forget that files of these versions were absent: a list names them."""
        if self._troubles.absences:
            for version in versions:
                for kind in KINDS:
                    self._troubles.clear((path, version, kind))

    async def fetch(self, flight: Flight[Blob], key: FileKey) -> Blob:
        """Fetch a file and store it, in this process and in one process alone."""
        path, version, kind = key
        try:
            async with self._store.flight(f"{path}@{version}.{kind}"):
                blob = await self._store.get(path, version, kind)
                if blob is None:
                    blob = await self._fetch(flight, path, version, kind)
        except PhaleronError as e:
            self._troubles.note(key, e)
            raise
        except RuleError as e:
            failed = OriginFailed(f"{path}@{version}: the origin's {kind} breaks a rule: {e}")
            self._troubles.note(key, failed)
            raise failed from e
        except Conflict as e:
            refused = Untrusted(f"{e}; nothing was changed")
            self._troubles.note(key, refused)
            raise refused from e
        for sibling in KINDS:
            self._troubles.clear((path, version, sibling))
        if self._complete:
            for sibling in KINDS:
                await self._fetch_behind((path, version, sibling))
        return blob

    async def _fetch_behind(self, key: FileKey) -> None:
        if await self._store.catalog.file(*key) is None:
            self._flights.start_behind(key, lambda flight: self.fetch(flight, key))

    async def _fetch(self, flight: Flight[Blob], path: ModulePath, version: Version, kind: Kind) -> Blob:
        hint = await self._origin_of(path, version)
        if kind == "zip":
            return await self._fetch_zip(flight, path, version, hint)
        if kind == "info":
            info = await self._source.info(path, version, hint)
            if info.value.version != version:
                raise OriginFailed(f"{path}@{version}: the origin's .info is of another version, {info.value.version}")
            return await self._keep(path, version, "info", info)
        mod = await self._source.mod(path, version, hint)
        return await self._keep(path, version, "mod", mod)

    async def _origin_of(self, path: ModulePath, version: Version) -> str:
        """Say who gave the files of this version that are stored: the rest is to come from there too."""
        for kind in KINDS:
            row = await self._store.catalog.file(path, version, kind)
            if row is not None:
                return row.origin
        return ""

    async def keep_answered_info(self, path: ModulePath, answer: Answer[Info]) -> None:
        """Store the `.info` that the answer to a query carries, as its version's own.

        A pseudo-version does not belong to the ref that led to it: cmd/go leaves Origin.Ref out in this place, too. Where
        it cannot be stored now it is left: nobody asked for the file.
        """
        info, body = answer.value, answer.body
        if info.origin is not None and info.origin.ref and is_pseudo(info.version):
            info = replace(info, origin=replace(info.origin, ref=""))
            body = encode_info(info)
        try:
            await self._keep(path, info.version, "info", replace(answer, value=info, body=body))
        except Busy as e:
            _log.warning("an .info could not be kept", module=path, version=info.version, error=str(e))

    async def _keep(self, path: ModulePath, version: Version, kind: Kind, answer: Answer[bytes] | Answer[Info]) -> Blob:
        h1 = hash_mod(answer.body) if kind == "mod" else ""
        time = answer.value.time if isinstance(answer.value, Info) else None
        draft = self._store.begin()
        try:
            await draft.write(answer.body)
            return await self._store.commit(draft, path, version, kind, origin=answer.origin, h1=h1, time=time)
        finally:
            draft.discard()

    async def _fetch_zip(self, flight: Flight[Blob], path: ModulePath, version: Version, hint: str) -> Blob:
        async with self._source.zip(path, version, hint) as content:
            draft = self._store.begin()
            try:
                flight.size_bytes = content.size_bytes
                flight.fd = draft.fd
                async for piece in content:
                    await draft.write(piece)
                    flight.have_bytes = draft.size_bytes
                    flight.move()
                h1 = await self._verified(draft.fd, path, version)
                return await self._store.commit(draft, path, version, "zip", origin=content.origin, h1=h1)
            finally:
                flight.fd = -1
                draft.discard()

    async def _verified(self, fd: int, path: ModulePath, version: Version) -> str:
        """Hold a zip against every rule, and give its h1. Raises RuleError."""
        own = os.dup(fd)  # the thread goes on where we are called away, and must not read what the number means then

        def verify() -> str:
            try:
                return verify_zip(own, path, version, codec=isal_zlib).h1
            finally:
                os.close(own)

        return await asyncio.get_running_loop().run_in_executor(self._verifiers, verify)

    async def close(self) -> None:
        """Call off what is under way."""
        await self._flights.close()
        self._verifiers.shutdown(wait=True)
