"""Outbound HTTP for everybody: a small interface over aiohttp, so that it can be swapped.

URLs come in, answers go out (`net.response`), failures are of the closed set (`net.failures`). Here are connections, redirects,
credentials and second tries. How much is asked at one time is the lanes' business: the library's own bounds on connections and
on time in total are off, and instead there are time-outs for connecting, for an answer's head and for silence within a body.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from string import punctuation
from types import TracebackType
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from yarl import URL

from phaleron.errors import OriginFailed, OriginTimeout
from phaleron.gomod.info import without_credentials
from phaleron.net.certificates import trust
from phaleron.net.failures import LATER, RAISED, Again, failure, host_of, status_text
from phaleron.net.hops import HOPS_HEADER, LOOP_HEADER, Hops, incoming_hops
from phaleron.net.netrc import Netrc, url_authorization
from phaleron.net.proxies import Proxies
from phaleron.net.response import Response

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_SECRET_HEADERS = frozenset({"authorization", "cookie"})
_FIRST_PAUSE_S = 0.2
_MOST_DISCONNECTED = 3
"""How often a question is asked again because there was no connection, or it broke before the answer's head."""
_KEPT_CONNECTION_S = 60
_ADDRESSES_KEPT_S = 30


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, whatever ways it takes."""

    url: str
    headers: Mapping[str, str]
    authorization: str | None


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How patient the client is. Times are in seconds."""

    connect_s: float = 10
    """For looking up the name, connecting and TLS."""
    headers_s: float = 60
    """From the question to the answer's head, redirects included: an upstream may have to fetch the module first."""
    idle_s: float = 30
    """Between two pieces of a body."""
    retry_s: float = 10
    """Within this time after the question all tries after the first are begun and ended; 0 for one try alone.

    A connection that breaks before the answer's head is followed by another at once, whatever is set: the library does that, as it
    may have been a kept one that the server had just given up.
    """
    user_agent: str = "phaleron"


class Client:
    """Asks. Use it as an async context manager: it keeps connections.

    With every request go the `hops` of the one that is being answered. `environment` holds the variables that say what the
    machine is set up for (proxies, certificates, netrc): by default the process's own.
    """

    def __init__(
        self,
        options: ClientOptions | None = None,
        *,
        hops: Hops | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._options = options or ClientOptions()
        self._headers = {"User-Agent": self._options.user_agent, "Accept-Encoding": "identity"}
        self._hops = hops or Hops()
        self._netrc = Netrc.from_environment(self._environment)
        self._proxies = Proxies(self._environment)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0,
            ssl=trust(self._environment),
            keepalive_timeout=_KEPT_CONNECTION_S,
            ttl_dns_cache=_ADDRESSES_KEPT_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._options.connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, retry_s: float | None = None
    ) -> AsyncIterator[Response]:
        """Ask for a URL, which is sent as it is written but for its user and password. Gives any answer, whatever its status.

        Up to 10 redirects are followed, none from https to http; credentials go to no other origin than the URL's. Where a
        server answers 429, 500, 502 or 503, it is asked again: within `retry_s` seconds, by default the client's budget, and no
        earlier than it wishes (Retry-After); where it cannot be reached, three times.

        Raises OriginFailed where there is no answer, OriginTimeout where none comes in time, Busy where this machine has
        no descriptor left.
        """
        authorization = url_authorization(url) or self._netrc.authorization(url)
        budget_s = self._options.retry_s if retry_s is None else retry_s
        response = await self._retried(_Question(url, headers or {}, authorization), budget_s)
        try:
            yield response
        finally:
            response.release()

    async def _retried(self, question: _Question, budget_s: float) -> Response:
        loop = asyncio.get_running_loop()
        end = loop.time() + budget_s
        deadline = loop.time() + self._options.headers_s
        last = ""
        disconnected = 0
        for pause_s in _pauses():
            response: Response | None = None
            try:
                async with asyncio.timeout_at(deadline):
                    response = await self._redirected(question)
            except TimeoutError as e:
                if last:
                    raise OriginTimeout(f"{last}; asked again, it did not answer within {budget_s:g} s") from e
                host, time_s = host_of(question.url), self._options.headers_s
                raise OriginTimeout(f"{host} did not answer within {time_s:g} s") from e
            except Again as e:
                # A kept connection may just have been closed, or the server be restarting. One that is down stays down for
                # longer than anybody wants to wait, and what is kept here is waiting to be served instead.
                wait_s = pause_s
                if disconnected == _MOST_DISCONNECTED or loop.time() + wait_s >= end:
                    raise e.failure from e
                disconnected += 1
                last = str(e)
            else:
                wait_s = max(pause_s, response.retry_after_s or 0.0)
                again = response.status in LATER and LOOP_HEADER not in response.headers
                if not again or loop.time() + wait_s >= end:
                    return response
                last = f"{host_of(response.url)} answered {status_text(response.status)}"
                await response.drain()
            await asyncio.sleep(wait_s)
            deadline = min(end, loop.time() + self._options.headers_s)
        raise AssertionError("the pauses have no end")

    async def _redirected(self, question: _Question) -> Response:
        url = question.url
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._ask(url, question)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                if response.status == 200:
                    await _begun(response)
                return response
            await response.drain()
            url = _target(url, location)
        raise OriginFailed(f"{host_of(question.url)} redirects more than {_MOST_REDIRECTS} times")

    async def _ask(self, url: str, question: _Question) -> Response:
        """Ask once, and wait for the head. Raises Again and the closed set."""
        if self._session is None:
            raise RuntimeError("the client is used outside of its context")
        headers = {**self._headers, **question.headers}
        if _origin(url) != _origin(question.url):
            headers = {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
        elif question.authorization is not None:
            headers.setdefault("Authorization", question.authorization)
        headers[HOPS_HEADER] = self._hops.outgoing(incoming_hops.get())
        proxy = self._proxies.proxy_for(url)
        try:
            target = URL(without_credentials(url), encoded=True)
            response = await self._session.get(target, headers=headers, proxy=proxy, allow_redirects=False)
        except RAISED as e:
            raise failure(e, url, proxy, self._options.connect_s) from e
        return Response(response, url, self._options.idle_s)


async def _begun(response: Response) -> None:
    try:
        await response.begin()
    except BaseException:
        response.release()
        raise


def _pauses() -> Iterator[float]:
    """Give the pauses between tries, in seconds: each about twice as long, with jitter so that many clients spread."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
        pause_s *= 2


def _origin(url: str) -> tuple[str, str]:
    """Give what credentials are bound to: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()


def _target(url: str, location: str) -> str:
    """Give where a redirect leads. Credentials in it are not used."""
    try:
        # What may not stand in a request line is escaped, and nothing else is touched: signatures cover the rest.
        target = quote(without_credentials(urljoin(without_credentials(url), location)), safe=punctuation)
        scheme, host = urlsplit(target).scheme, urlsplit(target).hostname
    except ValueError as e:
        raise OriginFailed(f"{host_of(url)} redirects to what is no address") from e
    if scheme not in ("http", "https") or not host:
        raise OriginFailed(f"{host_of(url)} redirects to what is no http or https address")
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise OriginFailed(f"{host_of(url)} redirects from https to http, which is not followed")
    return target
