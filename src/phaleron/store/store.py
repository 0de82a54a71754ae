"""A store on local disk: blobs as a tree, the catalog beside it, and the locks that make fetches single.

`DIR/modules` is a valid GOPROXY=file:// tree, `DIR/catalog.db` the catalog, `DIR/tmp` what is being written, `DIR/locks` the
locks, `DIR/sumdb` what the checksum database said. Any number of processes may use one directory. A file is written to tmp,
synced, noted in the journal, linked to its name, recorded, and then only removed from tmp: whoever is killed at any instant
leaves nothing half visible, and the next start (`mend`) records what had got its name. All that is done to one name, by any
process, is done under that name's lock.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

import structlog

from phaleron.errors import Busy, NotFound, PhaleronError
from phaleron.gomod.errors import RuleError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo
from phaleron.gomod.version import Version
from phaleron.store import journal, temp
from phaleron.store.blob import Blob
from phaleron.store.draft import Draft
from phaleron.store.errors import StoreError, no_room
from phaleron.store.found import describe
from phaleron.store.locks import Locks
from phaleron.store.mend import mend
from phaleron.store.records import Catalog, Conflict, FileRow, Kind, blob_key
from phaleron.store.shelf import Shelf
from phaleron.store.sqlite import SqliteCatalog
from phaleron.store.tree import BlobTree
from phaleron.store.whole import Whole

_log: structlog.stdlib.BoundLogger = structlog.get_logger("phaleron.store")
_WRITERS = 8
_FOLDERS = ("modules", "tmp", "locks", "sumdb")
_REFUSED_ENTRIES = 1000

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """One directory. Make it with `open`, and use it in one event loop's thread."""

    def __init__(self, directory: Path, catalog: Catalog) -> None:
        self.directory = directory
        self.catalog = catalog
        self.shelf = Shelf(directory / "sumdb", directory / "tmp")
        self.tree = BlobTree(directory / "modules")
        self.locks = Locks(directory / "locks")
        self.tmp = directory / "tmp"
        self._writers = ThreadPoolExecutor(_WRITERS, "store")
        self._open: WeakValueDictionary[str, Blob] = WeakValueDictionary()
        self._refused: dict[str, tuple[int, int, int]] = {}
        self._commits: set[asyncio.Task[Blob]] = set()

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
            where = e.filename or directory
            raise StoreError(f"{where}: the store cannot be written ({e.strerror}); choose another with --data") from e
        except Busy as e:
            raise StoreError(f"{directory}: {e}; make room, or choose another with --data") from e
        store = cls(directory, SqliteCatalog(directory / "catalog.db"))
        try:
            await mend(store)
        except BaseException as e:
            await store.close()
            if isinstance(e, OSError | PhaleronError):
                raise StoreError(f"{directory}: what a killed process left cannot be mended: {e}") from e
            raise
        return store

    def can_hold(self, path: ModulePath, version: Version) -> bool:
        """Tell whether the file system can hold a version's names. Costs no I/O; what it cannot hold is never stored."""
        return self.tree.can_hold(path, version)

    async def get(self, path: ModulePath, version: Version, kind: Kind) -> Blob | None:
        """Open a stored file, or give None.

        A file without a row (copied in by hand) is taken in, if it breaks no rule. Raises Busy without descriptors.
        """
        key = blob_key(path, version, kind)
        row = await self.catalog.file(path, version, kind)
        if row is None:
            if not self.tree.has(key):
                return None
        elif (blob := self._opened(key, row)) is not None:
            return blob
        async with self.naming(key):
            return await self._mended(key, path, version, kind)

    def naming(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of one name: nobody else puts, takes in, records or removes a file of it."""
        return self.locks.hold(f"name of {key}")

    def _opened(self, key: str, row: FileRow) -> Blob | None:
        """Open the file that the row describes: the one descriptor of all its readers. None where it is lost or damaged."""
        blob = self._open.get(key)
        if blob is None or blob.row.sha256 != row.sha256:
            fd = self.tree.open(key)
            if fd is None:
                return None
            blob = Blob(row, fd)
        if os.fstat(blob.fd).st_size != row.size_bytes:
            self._open.pop(key, None)
            return None
        self._open[key] = blob
        return blob

    async def _mended(self, key: str, path: ModulePath, version: Version, kind: Kind) -> Blob | None:
        """Open a file under its name's lock: row and file agree afterwards."""
        row = await self.catalog.file(path, version, kind)
        if row is None:
            return await self._taken_in(key, path, version, kind)
        blob = self._opened(key, row)
        if blob is None:
            _log.error("a stored file was lost or damaged, and has to be fetched again", file=key)
            self.tree.remove(key)
            await self.catalog.forget(row)
        return blob

    async def _taken_in(self, key: str, path: ModulePath, version: Version, kind: Kind) -> Blob | None:
        fd = self.tree.open(key)
        if fd is None:
            return None
        blob = Blob(FileRow(path, version, kind, "", 0, "", "", None), fd)
        status = os.fstat(fd)
        mark = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._refused.get(key) == mark:
            return None
        try:
            # A function that holds the blob: where we are called away, the thread goes on reading, and from nothing else.
            blob.row = await self.run(lambda: describe(blob.fd, path, version, kind))
            await self.record(blob.row)
        except (RuleError, Conflict) as e:
            _log.error("a file that nobody recorded is not served", file=key, error=str(e))
            if len(self._refused) >= _REFUSED_ENTRIES:
                del self._refused[next(iter(self._refused))]
            self._refused[key] = mark
            return None
        except Busy as e:
            _log.warning("a file that nobody recorded is served, and cannot be recorded now", file=key, error=str(e))
            return blob
        self._open[key] = blob
        return blob

    def begin(self) -> Draft:
        """Begin to write a file. Raises Busy where there is no room."""
        return Draft(self.tmp, self._writers)

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

        The draft is spent by this, whatever comes of it; it is still to be discarded.
        `h1` is of a zip or go.mod (`""` for an .info, the first of which is kept), `time` is an .info's commit time. Raises
        Conflict for another content than the one kept, or kept once and lost; Busy where there is no room; NotFound for a
        name that the file system cannot hold.
        """
        if not self.can_hold(path, version):
            raise NotFound(f"{path}@{version} cannot be stored: its name is too long for the file system")
        row = FileRow(path, version, kind, draft.sha256(), draft.size_bytes, origin, h1, time)
        draft.lend()
        return await self._finish(self._commit(draft, row, blob_key(path, version, kind)))

    async def commit_version(
        self, archive: Draft, path: ModulePath, version: Version, *, info: bytes, mod: bytes, h1: str, origin: str
    ) -> Blob:
        """Store a version that arrives whole: all of it, or nothing. Gives the zip.

        `h1` is of the zip in `archive`, which is still to be discarded. Raises RuleError for an `info` that is none, and what
        `commit` raises.
        """
        whole = Whole(path, version, info, mod, archive, h1, origin)
        archive.lend()
        return await self._finish(whole.commit(self))

    async def _finish(self, commit: Coroutine[None, None, Blob]) -> Blob:
        """Let a commit run to its end: once it may have its name, it must be recorded, whether or not anybody still waits."""
        task = asyncio.create_task(commit)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        try:
            # Not a shield: that keeps the blob open until the loop's next turn.
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_say_failure)
            raise
        return task.result()

    async def _commit(self, draft: Draft, row: FileRow, key: str) -> Blob:
        leave = False
        try:
            async with self.naming(key):
                kept = await self._mended(key, row.path, row.version, row.kind)
                if kept is None:
                    lost = await self.catalog.lost(row.path, row.version, row.kind)
                    if lost is not None and lost.h1 != row.h1:
                        raise Conflict(lost, row.h1)
                    await self.run(_name, draft, row, key, self.tree)
                    leave = True
                    kept = await self._named(draft, row, key)
                    leave = False
                elif kept.row.h1 != row.h1:
                    raise Conflict(kept.row, row.h1)
                return kept
        except Conflict as e:
            leave = False
            _log.error("another content under a kept name was refused", file=key, error=str(e))
            raise
        finally:
            if (
                not leave
            ):  # else it has its name and no row: the next start finds the entry, and a reader finds the file
                journal.entry_of(draft.path).unlink(missing_ok=True)
            draft.drop_name(leave=leave)
            draft.give_back()

    async def _named(self, draft: Draft, row: FileRow, key: str) -> Blob:
        try:
            await self.record(row)
        except Conflict:  # raised by a catalog that is shared with other machines
            self.tree.remove(key)
            raise
        blob = self._opened(key, row)
        if blob is None:
            raise Busy(f"{row.path}@{row.version}: the stored file was taken away at once; try again")
        return blob

    async def record(self, row: FileRow) -> None:
        """Record a file that has its name; write the module's list where that completes a version. See Catalog.record."""
        if await self.catalog.record(row):
            await self.write_list(row.path)

    async def write_list(self, path: ModulePath) -> None:
        """Write a module's `list`, for other readers of the tree; it is never read back."""
        async with self.locks.hold(f"list of {path}"):
            versions = [v for v in await self.catalog.versions(path) if not is_pseudo(v)]
            body = "".join(f"{v}\n" for v in versions).encode()
            try:
                await self.run(temp.write_atomic, self.tmp, self.tree.file(f"{path.escaped}/@v/list"), body)
            except Busy as e:
                _log.warning("a list could not be written; the next version of the module brings it", error=str(e))

    async def run(self, function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Do in a thread what may block for long."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, partial(function, *arguments, **named))

    def flight(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of a flight: one holder over all processes; others wait. Raises Busy without descriptors."""
        return self.locks.hold(f"flight of {key}")

    async def close(self) -> None:
        """Finish what is being written and close."""
        while self._commits:
            await asyncio.wait(self._commits)
        await asyncio.to_thread(self._writers.shutdown)
        await self.catalog.close()


def _say_failure(commit: asyncio.Task[Blob]) -> None:
    if not commit.cancelled() and (error := commit.exception()) is not None:
        _log.warning("a commit that nobody waited for has failed", error=str(error))


def _name(draft: Draft, row: FileRow, key: str, tree: BlobTree) -> None:
    """Sync a draft, note it in the journal, and link it to its name, in place of a file that may not be served."""
    try:
        os.fsync(draft.fd)
        journal.write_entry(draft.path, row)
        try:
            tree.put(draft.path, key)
        except FileExistsError:
            tree.remove(key)
            tree.put(draft.path, key)
    except OSError as e:
        raise no_room(e) or e from e
