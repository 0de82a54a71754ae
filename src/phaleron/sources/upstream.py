"""Modules from an upstream: a server that speaks the GOPROXY protocol over http or https.

Questions go out, answers come back read and checked (`sources.answers`), or an error that carries the upstream's own reason. 404
and 410 are NotFound; every other status but 200 is the upstream's failure, and never an absence. Second tries, redirects and
credentials are the client's business.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from http import HTTPStatus
from math import ceil
from urllib.parse import quote

from yarl import URL

from phaleron.errors import Busy, NotFound, OriginFailed, OriginTimeout, PhaleronError
from phaleron.gomod.info import Info, without_credentials
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.net.client import Client
from phaleron.net.failures import host_of, status_text
from phaleron.net.hops import LOOP_HEADER
from phaleron.net.response import Response
from phaleron.net.unpack import ACCEPTED
from phaleron.sources.answers import Limits, read_info, read_list, read_mod
from phaleron.sources.latest import newest_commit
from phaleron.sources.reason import REASON_BYTES, reason
from phaleron.sources.source import Answer, Content

# Only small files are worth the packing: a zip is packed already.
_SMALL = {"Accept-Encoding": ACCEPTED}
_LITERAL = "/$&+:=@~"
"""What the go command leaves as it is in a path; all else but letters, digits, `-._` is escaped (`!` is `%21`)."""


class Upstream:
    """A module source over a GOPROXY base URL, which may have a path, and credentials for Basic authentication.

    `retry_s` overrules the client's budget for second tries, in seconds: 0 where another entry of a list is there to be asked.
    """

    def __init__(self, url: str, client: Client, limits: Limits | None = None, *, retry_s: float | None = None) -> None:
        url = url.rstrip("/")
        self.origin = without_credentials(url)
        # A host or path with letters beyond ASCII is escaped here, once.
        self._base = str(URL(url)).rstrip("/")
        self._client = client
        self._limits = limits or Limits()
        self._retry_s = retry_s

    @property
    def host(self) -> str:
        """Whom it asks, for lanes."""
        return host_of(self.origin)

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
        target = f"{path.escaped}/@v/{version.escaped}.zip"
        async with self._asked(target, what, {}) as response:
            if (response.size_bytes or 0) > self._limits.zip_bytes:
                raise OriginFailed(
                    f"{what}: {self.origin}: the zip is longer than the limit of {self._limits.zip_bytes} bytes"
                )
            yield _Download(response, self.origin, what, self._limits.zip_bytes)

    async def _list(self, path: ModulePath) -> bytes:
        return await self._read(f"{path.escaped}/@v/list", str(path), self._limits.list_bytes)

    async def _read(self, target: str, what: str, limit: int) -> bytes:
        async with self._asked(target, what, _SMALL) as response:
            with _about(what):
                return await response.read(limit)

    @asynccontextmanager
    async def _asked(self, target: str, what: str, headers: Mapping[str, str]) -> AsyncIterator[Response]:
        """Ask for a file, and let only a 200 through."""
        url = f"{self._base}/{quote(target, safe=_LITERAL)}"
        async with AsyncExitStack() as stack:
            with _about(what):
                response = await stack.enter_async_context(
                    self._client.get(url, headers=headers, retry_s=self._retry_s)
                )
                if response.status != HTTPStatus.OK:
                    raise await _refusal(response, what)
            yield response


async def _refusal(response: Response, what: str) -> PhaleronError:
    """Turn an answer that is not 200 into the error that it is. Only of an absence does the text begin with `what`."""
    said = reason(await response.read_start(REASON_BYTES), what, response.status)
    if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return NotFound(f"{what}: {said or f'{host_of(response.url)} does not have it ({response.status})'}")
    if LOOP_HEADER in response.headers and "loop" not in said:
        said = f"loop: it leads back to this server{'; ' if said else ''}{said}"
    text = f"{host_of(response.url)} answered {status_text(response.status)}{': ' if said else ''}{said}"
    after_s = response.retry_after_s
    return OriginFailed(text, None if after_s is None else ceil(after_s))


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Put what was asked for before the text of a failure."""
    try:
        yield
    except OriginFailed as e:
        raise OriginFailed(f"{what}: {e}", e.retry_after_s) from e
    except OriginTimeout as e:
        raise OriginTimeout(f"{what}: {e}") from e
    except Busy as e:
        raise Busy(f"{what}: {e}", e.retry_after_s) from e


class _Download:
    """A zip on its way; see Content."""

    def __init__(self, response: Response, origin: str, what: str, limit: int) -> None:
        self._response = response
        self._what = what
        self._limit = limit
        self.size_bytes = response.size_bytes
        self.origin = origin

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        with _about(self._what):
            async for piece in self._response.pieces(self._limit):
                yield piece
