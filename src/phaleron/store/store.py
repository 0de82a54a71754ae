"""A store on local disk: blobs as a tree, the catalog beside it, and the locks that make fetches single.

`DIR/modules` is a valid GOPROXY=file:// tree, `DIR/catalog.db` the catalog, `DIR/tmp` what is being written, `DIR/locks` the
locks, `DIR/sumdb` what the checksum database said. Any number of processes may use one directory. A file is written to tmp,
synced, noted in the journal, linked to its name, recorded, and then only removed from tmp: whoever is killed at any instant
leaves nothing half visible, and the next start records what had got its name.
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

import structlog
from isal import isal_zlib

from phaleron.errors import NotFound
from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import parse_info
from phaleron.gomod.modzip import verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo
from phaleron.gomod.version import Version
from phaleron.store import journal, temp
from phaleron.store.blob import Blob
from phaleron.store.draft import Draft
from phaleron.store.errors import StoreError, no_room
from phaleron.store.locks import Locks
from phaleron.store.records import Catalog, Conflict, FileRow, Kind, blob_key
from phaleron.store.shelf import Shelf
from phaleron.store.sqlite import SqliteCatalog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_WRITERS = 8
_FOLDERS = ("modules", "tmp", "locks", "sumdb")

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """One directory. Make it with `open`."""

    def __init__(self, directory: Path, catalog: Catalog) -> None:
        self.directory = directory
        self.catalog = catalog
        self.shelf = Shelf(directory / "sumdb", directory / "tmp")
        self._modules = directory / "modules"
        self._tmp = directory / "tmp"
        self._locks = Locks(directory / "locks")
        self._writers = ThreadPoolExecutor(_WRITERS, "store")
        self._open: WeakValueDictionary[str, Blob] = WeakValueDictionary()

    @classmethod
    async def open(cls, directory: Path) -> "Store":
        """Open a store, making it where there is none, and mend what dead processes left. Raises StoreError."""
        try:
            for folder in _FOLDERS:
                (directory / folder).mkdir(parents=True, exist_ok=True)
            fd, path = temp.open_temp(directory / "tmp")
            path.unlink()
            os.close(fd)
        except OSError as e:
            raise StoreError(
                f"{e.filename or directory}: the store cannot be written ({e.strerror}); choose another with --data"
            ) from e
        store = cls(directory, SqliteCatalog(directory / "catalog.db"))
        await store._sweep()
        return store

    async def get(self, path: ModulePath, version: Version, kind: Kind) -> Blob | None:
        """Open a stored file, or give None. A file without a row (copied in by hand) is taken in, if it breaks no rule."""
        row = await self.catalog.file(path, version, kind)
        key = blob_key(path, version, kind)
        if row is None:
            return await self._adopt(path, version, kind)
        blob = self._open.get(key)
        if blob is not None and blob.row.sha256 == row.sha256:
            return blob
        fd = self._open_file(key)
        if fd is None:
            _log.warning("a stored file has gone", module=path, version=version, kind=kind)
            return None
        if os.fstat(fd).st_size != row.size_bytes:
            os.close(fd)
            _log.error("a stored file is damaged and is taken away", module=path, version=version, kind=kind)
            (self._modules / key).unlink(missing_ok=True)
            return None
        return self._share(key, Blob(row, fd))

    def _share(self, key: str, blob: Blob) -> Blob:
        self._open[key] = blob
        return blob

    def _open_file(self, key: str) -> int | None:
        try:
            return os.open(self._modules / key, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
                return None
            raise no_room(e) or e from e

    async def _adopt(self, path: ModulePath, version: Version, kind: Kind) -> Blob | None:
        key = blob_key(path, version, kind)
        fd = self._open_file(key)
        if fd is None:
            return None
        blob = Blob(FileRow(path, version, kind, "", os.fstat(fd).st_size, "", "", None), fd)
        try:
            blob.row = await self._run(_described, blob)
        except RuleError as e:
            _log.error("a file that nobody recorded breaks a rule and is not served", file=key, error=str(e))
            return None
        try:
            await self._record(blob.row)
        except Conflict as e:
            _log.error("a file that nobody recorded is not the one that was", file=key, error=str(e))
            return None
        return self._share(key, blob)

    def begin(self) -> Draft:
        """Begin to write a file. Raises Busy where there is no room."""
        return Draft(self._tmp, self._writers)

    async def commit(
        self,
        draft: Draft,
        path: ModulePath,
        version: Version,
        kind: Kind,
        *,
        origin: str,
        h1: str,
        time: datetime | None = None,
    ) -> Blob:
        """Give a draft its name, for ever, and record it. Where the name is taken by an equal one, that one is given.

        `h1` is of a zip or go.mod (`""` for an .info), `time` is an .info's commit time. Raises Conflict for another content
        than the one kept, Busy where there is no room, NotFound for a name that the file system cannot hold.
        """
        row = FileRow(path, version, kind, draft.sha256(), draft.size_bytes, origin, h1, time)
        key = blob_key(path, version, kind)
        # Shielded: once it may have its name, it must be recorded, whether or not anybody still waits.
        return await asyncio.shield(asyncio.ensure_future(self._commit(draft, row, key)))

    async def _commit(self, draft: Draft, row: FileRow, key: str) -> Blob:
        try:
            named = await self._run(_name, draft, row, self._modules / key)
            if not named:
                kept = await self.get(row.path, row.version, row.kind)
                if kept is not None and kept.row.h1 != row.h1:
                    raise Conflict(kept.row, row.h1)
                if kept is not None:
                    return kept
                # What stands in our place is damaged or breaks a rule.
                (self._modules / key).unlink(missing_ok=True)
                named = await self._run(_name, draft, row, self._modules / key)
            await self._record(row)
        except Conflict as e:
            _log.error(
                "another content under a kept name was refused", module=row.path, version=row.version, error=str(e)
            )
            if self._is_named(draft, key):
                (self._modules / key).unlink()
            raise
        finally:
            journal.entry_of(draft.path).unlink(missing_ok=True)
            draft.discard()
        fd = self._open_file(key)
        if fd is None:
            raise NotFound(f"{row.path}@{row.version}: the stored file has gone")
        return self._share(key, Blob(row, fd))

    def _is_named(self, draft: Draft, key: str) -> bool:
        try:
            return os.path.samestat((self._modules / key).stat(), os.fstat(draft.fd))
        except FileNotFoundError:
            return False

    async def _record(self, row: FileRow) -> None:
        if await self.catalog.record(row):
            await self._write_list(row.path)

    async def _write_list(self, path: ModulePath) -> None:
        """Write a module's `list`, for other readers of the tree; it is never read back."""
        async with self._locks.hold(f"list of {path}"):
            versions = [v for v in await self.catalog.versions(path) if not is_pseudo(v)]
            body = "".join(f"{v}\n" for v in versions).encode()
            await self._run(temp.write_atomic, self._tmp, self._modules / path.escaped / "@v" / "list", body)

    async def _run(self, function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Do in a thread what may block for long."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, partial(function, *arguments, **named))

    def flight(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of a flight: one holder over all processes; others wait. Raises Busy without descriptors."""
        return self._locks.hold(key)

    async def _sweep(self) -> None:
        """Record what dead writers had named, and remove what they left."""
        self._locks.sweep()
        for path in sorted(self._tmp.iterdir()):
            if path.suffix == temp.SUFFIX:
                fd = temp.lock_abandoned(path)
                if fd is not None:
                    await self._mend(path, fd)
                    os.close(fd)
            elif path.suffix == journal.SUFFIX and not path.with_suffix(temp.SUFFIX).exists():
                path.unlink(missing_ok=True)

    async def _mend(self, path: Path, fd: int) -> None:
        row = journal.read_entry(path)
        if row is not None and os.fstat(fd).st_nlink > 1:
            try:
                await self._record(row)
                _log.info(
                    "recorded what a killed process had stored", module=row.path, version=row.version, kind=row.kind
                )
            except Conflict as e:
                _log.error("what a killed process had stored is not what was kept", error=str(e))
                (self._modules / blob_key(row.path, row.version, row.kind)).unlink(missing_ok=True)
        journal.entry_of(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Finish what is being written and close."""
        self._writers.shutdown(wait=True)
        await self.catalog.close()


def _name(draft: Draft, row: FileRow, final: Path) -> bool:
    """Sync a draft, note it in the journal, and link it to its name; False if that is taken."""
    try:
        os.fsync(draft.fd)
        if not journal.entry_of(draft.path).exists():
            journal.write_entry(draft.path, row)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.link(draft.path, final)
    except FileExistsError:
        return False
    except OSError as e:
        if e.errno == errno.ENAMETOOLONG:
            raise NotFound(
                f"{row.path}@{row.version} cannot be stored: its name is too long for the file system"
            ) from e
        raise no_room(e) or e from e
    return True


def _described(blob: Blob) -> FileRow:
    """Hold a file that was found against its rules, and describe it. Raises RuleError."""
    row = blob.row
    if row.kind == "zip":
        digest = hashlib.sha256()
        with open(blob.fd, "rb", closefd=False) as f:
            while piece := f.read(1 << 20):
                digest.update(piece)
        h1 = verify_zip(blob.fd, row.path, row.version, codec=isal_zlib).h1
        return replace(row, sha256=digest.hexdigest(), h1=h1)
    body = blob.read()
    row = replace(row, sha256=hashlib.sha256(body).hexdigest())
    if row.kind == "mod":
        return replace(row, h1=hash_mod(body))
    info = parse_info(body)
    if info.version != row.version:
        raise RuleError(f".info is of another version, {info.version}")
    return replace(row, time=info.time)
