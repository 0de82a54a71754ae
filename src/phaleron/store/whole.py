"""Versions that arrive whole: an upload, a publish, a repository's archive. All three files are stored, or none.

The version is claimed first, by a row that says which files it will bring; then its files get their names, the .info last, since
there are readers to whom an .info means all three. Whose claim a row is, a lock tells. Where its holder is dead and the
version is not complete, what it brought is undone: the one case in which a named file goes away.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from phaleron.errors import Busy
from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import parse_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.blob import Blob
from phaleron.store.draft import Draft
from phaleron.store.records import ClaimRow, Kind, blob_key

if TYPE_CHECKING:
    from phaleron.store.store import Store

_log: structlog.stdlib.BoundLogger = structlog.get_logger("phaleron.store")
_ORDER: tuple[Kind, ...] = ("mod", "zip", "info")


@dataclass(frozen=True, slots=True)
class Whole:
    """A version and its three files. `h1` is of the zip."""

    path: ModulePath
    version: Version
    info: bytes
    mod: bytes
    archive: Draft
    h1: str
    origin: str

    async def commit(self, store: "Store") -> Blob:
        """Store all of it; give the zip, and give back the archive that was lent. See Store.commit_version."""
        try:
            return await self._commit(store)
        finally:
            self.archive.give_back()

    async def _commit(self, store: "Store") -> Blob:
        path, version = self.path, self.version
        info = parse_info(self.info)
        if info.version != version:
            raise RuleError(f".info is of another version, {info.version}")
        async with store.locks.hold(_lock(path, version)):
            for claim in await store.catalog.claims():
                if (claim.path, claim.version) == (path, version):
                    await _undo(store, claim)  # its holder is dead: its lock is ours
            absent = tuple([kind for kind in _ORDER if await store.get(path, version, kind) is None])
            claim = ClaimRow(path, version, absent)
            if not await store.catalog.claim(claim):
                raise Busy(f"{path}@{version} is being stored by another")
            try:
                await self._commit_small(store, "mod", self.mod, hash_mod(self.mod))
                blob = await store.commit(self.archive, path, version, "zip", origin=self.origin, h1=self.h1)
                await self._commit_small(store, "info", self.info, "")
            finally:
                await _undo(store, claim)
            return blob

    async def _commit_small(self, store: "Store", kind: Kind, body: bytes, h1: str) -> None:
        draft = store.begin()
        try:
            await draft.write(body)
            time = parse_info(body).time if kind == "info" else None
            await store.commit(draft, self.path, self.version, kind, origin=self.origin, h1=h1, time=time)
        finally:
            draft.discard()


async def undo_dead_claims(store: "Store") -> None:
    """End the claims whose holders are dead. Raises OSError, Busy."""
    for claim in await store.catalog.claims():
        with store.locks.try_hold(_lock(claim.path, claim.version)) as ours:
            if ours:
                await _undo(store, claim)


def _lock(path: ModulePath, version: Version) -> str:
    return f"claim of {path}@{version}"


async def _undo(store: "Store", claim: ClaimRow) -> None:
    """End a claim; where its version is not complete, take away the files that it brought."""
    keys = sorted(blob_key(claim.path, claim.version, kind) for kind in claim.kinds)
    async with AsyncExitStack() as names:
        for key in keys:
            await names.enter_async_context(store.naming(key))
        undo = not await store.catalog.is_complete(claim.path, claim.version)
        if undo:
            _log.warning("a version that was not stored to the end is undone", module=claim.path, version=claim.version)
            for key in keys:
                store.tree.remove(key)
        await store.catalog.unclaim(claim, undo=undo)
