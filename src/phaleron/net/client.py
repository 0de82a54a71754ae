"""Outbound HTTP for everybody: aiohttp behind a small interface, so that it can be swapped.

The library's own bounds on connections and on time are off: lanes bound how much is asked at one time, and here are time-outs
for connecting, for an answer's head, and for silence within a body. Redirects are followed here: up to 10, never from https to
http, and credentials go to no other origin. Answers that say "later" are asked for again, for a while.
"""

import asyncio
import os
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from phaleron.errors import OriginFailed, OriginTimeout, PhaleronError
from phaleron.gomod.info import without_credentials
from phaleron.net.hops import HOPS_HEADER, LOOP_HEADER, Hops
from phaleron.net.netrc import Netrc, url_authorization
from phaleron.net.proxies import Proxies

_LATER = frozenset({429, 500, 502, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_PIECE_BYTES = 256 * 1024
_FIRST_PAUSE_S = 0.2
_IDLE_CONNECTION_S = 75


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Times are in seconds."""

    connect_s: float = 10
    """To connect, TLS included."""
    headers_s: float = 60
    """From the request to the answer's head: an upstream may fetch a module itself before it answers."""
    idle_s: float = 30
    """Between two pieces of a body."""
    retry_s: float = 10
    """Answers 429, 500, 502 and 503 are asked for again within this time."""
    user_agent: str = "Phaleron"


class Response:
    """An answer whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, idle_s: float) -> None:
        self._response = response
        self._idle_s = idle_s
        self.status = response.status
        self.url = url
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        self.size_bytes = None if encoded else response.content_length
        """The body's length; None where the origin does not say."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in any case."""
        return self._response.headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body in pieces of at most 256 KiB. Raises OriginFailed where it is cut, OriginTimeout where it stops."""
        host = urlsplit(self.url).hostname
        pieces = self._response.content.iter_chunked(_PIECE_BYTES)
        try:
            while True:
                async with asyncio.timeout(self._idle_s):
                    piece = await anext(pieces, b"")
                if not piece:
                    return
                yield piece
        except TimeoutError as e:
            raise OriginTimeout(f"{host} sent nothing for {self._idle_s:g} s within a body") from e
        except (aiohttp.ClientError, OSError, ValueError) as e:
            raise OriginFailed(f"{host} broke off within a body: {_reason(e)}") from e

    async def read(self, limit: int) -> bytes:
        """Read the body whole. Raises OriginFailed where it is longer than `limit` bytes, and as `pieces` does."""
        too_long = OriginFailed(f"{urlsplit(self.url).hostname} sent more than {limit} bytes")
        if (self.size_bytes or 0) > limit:
            raise too_long
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                raise too_long
        return bytes(body)


def _reason(error: BaseException) -> str:
    """Say in one line what a library's error says, without URLs."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    return " ".join(str(without_credentials(str(error))).split())[:200] or type(error).__name__


class Client:
    """Asks. Use it as an async context manager: it keeps connections."""

    def __init__(
        self,
        options: ClientOptions | None = None,
        *,
        hops: Hops | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        self._options = options or ClientOptions()
        self._hops = hops or Hops()
        self._netrc = Netrc.read(environment)
        self._proxies = Proxies(environment)
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        # The default context reads SSL_CERT_FILE and SSL_CERT_DIR.
        connector = aiohttp.TCPConnector(
            limit=0, ssl=ssl.create_default_context(), keepalive_timeout=_IDLE_CONNECTION_S, ttl_dns_cache=30
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._options.connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._options.user_agent, "Accept-Encoding": "identity"},
            max_line_size=16 << 10,
            max_field_size=16 << 10,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def get(self, url: str) -> AsyncIterator[Response]:
        """Ask for a URL, which is written as it is to be sent. Gives any answer, after redirects and retries.

        Raises OriginFailed where there is no answer, OriginTimeout where it takes too long.
        """
        async with AsyncExitStack() as stack:
            yield await self._retried(url, stack)

    async def _retried(self, url: str, stack: AsyncExitStack) -> Response:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._options.retry_s
        pause_s = _FIRST_PAUSE_S
        while True:
            response = await self._redirected(url, stack)
            if response.status not in _LATER or LOOP_HEADER in response.headers:
                return response
            wait_s = max(pause_s * random.uniform(0.75, 1.25), _retry_after(response))  # noqa: S311 - jitter
            if loop.time() + wait_s >= end:
                return response
            await stack.aclose()
            await asyncio.sleep(wait_s)
            pause_s *= 2

    async def _redirected(self, url: str, stack: AsyncExitStack) -> Response:
        authorization = url_authorization(url)
        origin = _origin(url)
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._ask(url, authorization if _origin(url) == origin else None, stack)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return response
            await stack.aclose()
            target = urljoin(url, location)
            scheme = urlsplit(target).scheme
            if scheme not in ("http", "https") or (scheme == "http" and url.startswith("https:")):
                raise OriginFailed(
                    f"{urlsplit(url).hostname} redirects to {scheme or 'nowhere'}, which is not followed"
                )
            url = target
        raise OriginFailed(f"{urlsplit(url).hostname} redirects more than {_MOST_REDIRECTS} times")

    async def _ask(self, url: str, authorization: str | None, stack: AsyncExitStack) -> Response:
        headers = {HOPS_HEADER: self._hops.outgoing()}
        if authorization := authorization or self._netrc.authorization(url):
            headers["Authorization"] = authorization
        host = urlsplit(url).hostname
        for attempt in (1, 2):
            try:
                target = URL(without_credentials(url), encoded=True)
                async with asyncio.timeout(self._options.headers_s):
                    response = await stack.enter_async_context(
                        self._session.get(
                            target, headers=headers, allow_redirects=False, proxy=self._proxies.proxy_for(url)
                        )
                    )
            except (TimeoutError, aiohttp.ServerTimeoutError) as e:
                raise OriginTimeout(f"{host} did not answer within {self._options.headers_s:g} s") from e
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as e:
                # A kept connection may have been closed by the other side just now: that says nothing of the origin.
                if attempt == 2 or isinstance(e, aiohttp.ClientConnectorError):
                    raise _failed(host, e) from e
            except (aiohttp.ClientError, OSError, ValueError) as e:
                raise _failed(host, e) from e
            else:
                return Response(response, url, self._options.idle_s)
        raise AssertionError("unreachable")


def _failed(host: str | None, error: BaseException) -> PhaleronError:
    return OriginFailed(f"{host}: {_reason(error)}")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]


def _retry_after(response: Response) -> float:
    """Read Retry-After in seconds; its other form, a date, is so far off or so near that it says nothing here."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0
