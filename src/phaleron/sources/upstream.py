"""Modules from an upstream GOPROXY server.

404 and 410 are NotFound, with the upstream's own reason; any other status than 200 is the upstream's failure, never
ours to call an absence. Bodies are bounded.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from phaleron.errors import NotFound, OriginFailed, PhaleronError
from phaleron.gomod.info import Info, without_credentials
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.net.client import Client, Response
from phaleron.sources.answers import INFO_BYTES, LIST_BYTES, MOD_BYTES, ZIP_BYTES, read_info, read_list, read_mod
from phaleron.sources.source import Answer, Content

_REASON_BYTES = 4096
_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is read of each kind of body, in bytes."""

    list_bytes: int = LIST_BYTES
    info_bytes: int = INFO_BYTES
    mod_bytes: int = MOD_BYTES
    zip_bytes: int = ZIP_BYTES


class Upstream:
    """A module source over a GOPROXY base URL."""

    def __init__(self, url: str, client: Client, limits: Limits | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._limits = limits or Limits()
        self.origin = without_credentials(self._url)

    @property
    def host(self) -> str:
        """Whom it asks, for lanes."""
        return urlsplit(self.origin).netloc

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@v/list", f"{path}", self._limits.list_bytes)
        return read_list(path, body, self.origin)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@latest", f"{path}@latest", self._limits.info_bytes)
        return read_info(path, None, body, self.origin)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@v/{query.escaped}.info", f"{path}@{query}", self._limits.info_bytes)
        return read_info(path, query, body, self.origin)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        body = await self._read(f"{path.escaped}/@v/{version.escaped}.mod", f"{path}@{version}", self._limits.mod_bytes)
        return read_mod(path, version, body, self.origin)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource."""
        what = f"{path}@{version}"
        async with self._client.get(f"{self._url}/{path.escaped}/@v/{version.escaped}.zip") as response:
            if response.status != HTTPStatus.OK:
                raise await self._failure(response, what)
            if (response.size_bytes or 0) > self._limits.zip_bytes:
                raise _too_big(self.origin, what, self._limits.zip_bytes)
            yield _Download(response, self.origin, what, self._limits.zip_bytes)

    async def _read(self, target: str, what: str, limit: int) -> bytes:
        async with self._client.get(f"{self._url}/{target}") as response:
            if response.status != HTTPStatus.OK:
                raise await self._failure(response, what)
            return await response.read(limit)

    async def _failure(self, response: Response, what: str) -> PhaleronError:
        """Turn an answer that is not 200 into the error that it is."""
        try:
            body = await response.read(_REASON_BYTES)
        except PhaleronError:
            body = b""
        reason = _first_line(body)
        if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return NotFound(f"{what}: {reason or 'no such module or version'}")
        return OriginFailed(f"{what}: {self.origin} answered {response.status}{': ' if reason else ''}{reason}")


def _first_line(body: bytes) -> str:
    """Give an upstream's reason, bounded and printable; its "not found: " is said by the status already."""
    text = next((line for line in body.decode(errors="replace").splitlines() if line.strip()), "").strip()
    text = "".join(c if c.isprintable() else "?" for c in text.removeprefix("not found: "))
    return "" if text.startswith("<") else text[:_REASON_LENGTH]


def _too_big(origin: str, what: str, limit: int) -> OriginFailed:
    return OriginFailed(f"{what}: {origin} sends a zip of more than {limit} bytes")


class _Download:
    """A zip on its way; see Content."""

    def __init__(self, response: Response, origin: str, what: str, limit: int) -> None:
        self._response = response
        self._what = what
        self._limit = limit
        self.size_bytes = response.size_bytes
        self.origin = origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for piece in self._response.pieces():
            length += len(piece)
            if length > self._limit:
                raise _too_big(self.origin, self._what, self._limit)
            yield piece
