"""Modules from a tree of files in the form of GOPROXY URLs, as `GOPROXY=file://…` names it.

A GOMODCACHE's `cache/download` is one: its lists name versions of which there is only a go.mod, and it has no `@latest`; what
is not there is NotFound.
"""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from phaleron.errors import NotFound, OriginFailed
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.sources.answers import read_info, read_list, read_mod
from phaleron.sources.source import Answer, Content
from phaleron.sources.upstream import Limits

_PIECE_BYTES = 256 * 1024
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


class Tree:
    """A module source over a file:// URL."""

    host = "file"

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.origin = url.rstrip("/")
        self._root = Path(unquote(urlsplit(url).path))
        self._limits = limits or Limits()

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """See ModuleSource."""
        body = await asyncio.to_thread(self._read, f"{path.escaped}/@v/list", f"{path}", self._limits.list_bytes)
        return read_list(path, body, self.origin)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """See ModuleSource."""
        body = await asyncio.to_thread(self._read, f"{path.escaped}/@latest", f"{path}@latest", self._limits.info_bytes)
        return read_info(path, None, body, self.origin)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """See ModuleSource."""
        name = f"{path.escaped}/@v/{query.escaped}.info"
        body = await asyncio.to_thread(self._read, name, f"{path}@{query}", self._limits.info_bytes)
        return read_info(path, query, body, self.origin)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        name = f"{path.escaped}/@v/{version.escaped}.mod"
        body = await asyncio.to_thread(self._read, name, f"{path}@{version}", self._limits.mod_bytes)
        return read_mod(path, version, body, self.origin)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource."""
        fd = self._open(f"{path.escaped}/@v/{version.escaped}.zip", f"{path}@{version}", self._limits.zip_bytes)
        try:
            yield _File(fd, self.origin)
        finally:
            os.close(fd)

    def _open(self, name: str, what: str, limit: int) -> int:
        try:
            fd = os.open(self._root / name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            if e.errno in _ABSENT:
                raise NotFound(f"{what}: not in {self.origin}") from e
            raise OriginFailed(f"{what}: {self.origin}: {e.strerror}") from e
        if os.fstat(fd).st_size > limit:
            os.close(fd)
            raise OriginFailed(f"{what}: {self.origin} has a file of more than {limit} bytes")
        return fd

    def _read(self, name: str, what: str, limit: int) -> bytes:
        fd = self._open(name, what, limit)
        with open(fd, "rb") as f:
            try:
                return f.read()
            except IsADirectoryError as e:
                raise NotFound(f"{what}: not in {self.origin}") from e


class _File:
    """A zip in the tree; see Content."""

    def __init__(self, fd: int, origin: str) -> None:
        self._fd = fd
        self.size_bytes = os.fstat(fd).st_size
        self.origin = origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, self.size_bytes, _PIECE_BYTES):
            yield await asyncio.to_thread(os.pread, self._fd, _PIECE_BYTES, at)
