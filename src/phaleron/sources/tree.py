"""Modules from a tree of files laid out like GOPROXY URLs, as `GOPROXY=file:///…` names it.

A GOMODCACHE's `cache/download` is such a tree, and an export of this server's store. Its lists count as they are, as they do
to the go command: that of a GOMODCACHE also names versions of which there is only a go.mod. What is not there is NotFound. All
reading is done in threads: the tree may be on a network.
"""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from phaleron.errors import Busy, NotFound, OriginFailed, PhaleronError
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.sources.answers import Limits, read_info, read_list, read_mod
from phaleron.sources.latest import newest_commit
from phaleron.sources.source import Answer, Content

_PIECE_BYTES = 256 * 1024
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Tree:
    """A module source over a `file:///absolute/path` URL."""

    host = "file"
    """Whom it asks, for lanes."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.origin = url.rstrip("/")
        self._root = Path(unquote(urlsplit(url).path))
        self._limits = limits or Limits()

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """See ModuleSource."""
        return await read_list(path, await self._list(path), self.origin)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """See ModuleSource. Where there is no `@latest` the newest commit stands in for it, if the list has no tags."""
        try:
            body = await self._read(f"{path.escaped}/@latest", f"{path}@latest", self._limits.info_bytes)
        except NotFound:
            if (found := await newest_commit(path, self._list, self.info)) is not None:
                return found
            raise
        return read_info(path, None, body, self.origin)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@v/{query.escaped}.info", f"{path}@{query}", self._limits.info_bytes)
        return read_info(path, query, body, self.origin)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@v/{version.escaped}.mod", f"{path}@{version}", self._limits.mod_bytes)
        return await read_mod(path, version, body, self.origin)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource."""
        what = f"{path}@{version}"
        fd, size = await asyncio.to_thread(
            self._open, f"{path.escaped}/@v/{version.escaped}.zip", what, self._limits.zip_bytes
        )
        try:
            yield _Zip(fd, size, self.origin, what)
        finally:
            os.close(fd)

    async def _list(self, path: ModulePath) -> bytes:
        return await self._read(f"{path.escaped}/@v/list", str(path), self._limits.list_bytes)

    async def _read(self, name: str, what: str, limit: int) -> bytes:
        return await asyncio.to_thread(self._read_now, name, what, limit)

    def _read_now(self, name: str, what: str, limit: int) -> bytes:
        fd, size = self._open(name, what, limit)
        try:
            with open(fd, "rb") as file:
                return file.read(size)
        except OSError as e:
            raise self._failed(what, e) from e

    def _open(self, name: str, what: str, limit: int) -> tuple[int, int]:
        """Open a regular file below the root; give its descriptor and its size."""
        try:
            # Not to wait for a writer where somebody made a pipe of this name.
            fd = os.open(self._root / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as e:
            raise self._failed(what, e) from e
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise NotFound(f"{what}: {self.origin} has something of this name that is no file")
        if status.st_size > limit:
            os.close(fd)
            raise OriginFailed(f"{what}: {self.origin}: its file is longer than the limit of {limit} bytes")
        return fd, status.st_size

    def _failed(self, what: str, error: OSError) -> PhaleronError:
        if error.errno in _ABSENT:
            return NotFound(f"{what}: {self.origin} does not have it")
        text = f"{what}: {self.origin} cannot be read: {error.strerror}"
        return Busy(text) if error.errno in _OURS else OriginFailed(text)


class _Zip:
    """A zip in the tree; see Content."""

    def __init__(self, fd: int, size_bytes: int, origin: str, what: str) -> None:
        self._fd = fd
        self._what = what
        self.size_bytes = size_bytes
        self.origin = origin

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        at = 0
        while at < self.size_bytes:
            try:
                piece = await asyncio.to_thread(os.pread, self._fd, min(_PIECE_BYTES, self.size_bytes - at), at)
            except OSError as e:
                raise OriginFailed(f"{self._what}: {self.origin} cannot be read: {e.strerror}") from e
            if not piece:
                raise OriginFailed(f"{self._what}: {self.origin}: the zip got shorter while it was read")
            at += len(piece)
            yield piece
