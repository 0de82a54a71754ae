"""The application: a request in, a reply out. Everything that the fast lane does not take passes here.

It parses the target, asks the modules or the pages, applies conditions and ranges, writes the reply, and tells the lane what it
may repeat. Who hangs up while waiting is noticed, and what was being waited for is let go.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import uuid4

import structlog

from phaleron.errors import NotFound, OriginFailed, PhaleronError
from phaleron.net.hops import HOPS_HEADER, LOOP_HEADER, Hops, incoming_hops
from phaleron.sources.source import ModuleSource
from phaleron.store.records import Catalog
from phaleron.web.errors import Answerable, error_reply, text_reply
from phaleron.web.modules import Modules, Sumdb
from phaleron.web.options import WebOptions
from phaleron.web.pages import pages
from phaleron.web.reply import NO_STORE, Part, Reply, Stored, conditioned
from phaleron.web.target import ModuleTarget, SumdbTarget, parse_target

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("phaleron.web")
_TRUE = frozenset({b"1", b"t", b"T", b"TRUE", b"true", b"True"})
_REQUEST_ID = re.compile(r"[-._~0-9A-Za-z]{1,128}").fullmatch
_PIECE_BYTES = 256 * 1024
_HOPS = HOPS_HEADER.lower().encode()
SENDFILE = "phaleron.sendfile"
"""The ASGI extension by which the server sends a file without its bytes passing through here: an async function of status,
headers, descriptor, offset and length."""


ABORT = "phaleron.abort"
"""The ASGI extension by which the connection is cut, so that the client sees that it has not got the whole."""


class Repeats(Protocol):
    """What the fast lane keeps to repeat."""

    def keep(self, target: bytes, reply: Reply) -> None:
        """Take a reply that may be repeated for `reply.lane_s` seconds."""

    def drop(self, target: bytes) -> None:
        """Forget a reply, if it is there."""


class App:
    """The ASGI application."""

    def __init__(
        self,
        *,
        source: ModuleSource,
        kept: ModuleSource,
        catalog: Catalog,
        sumdb: Sumdb,
        hops: Hops,
        options: WebOptions | None = None,
        lane: Repeats | None = None,
    ) -> None:
        self._options = options or WebOptions()
        self._modules = Modules(source, kept, sumdb, self._options)
        self._hops = hops
        self.lane = lane
        self._pages = pages(catalog, self._options.catalog_page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        leaving = asyncio.ensure_future(_left(receive))
        answering = asyncio.ensure_future(self._answer(scope, _patiently(send, self._options.idle_s), leaving))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() and not leaving.cancelled() and leaving.result():
                answering.cancel()
            await asyncio.wait({answering})
            if not answering.cancelled():
                answering.result()
        finally:
            leaving.cancel()
            answering.cancel()

    async def _answer(self, scope: Scope, send: Send, leaving: "asyncio.Future[bool]") -> None:
        began = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = (headers.get(b"x-request-id") or headers.get(b"athens-request-id") or b"").decode("latin-1")
        request_id = given if _REQUEST_ID(given) else uuid4().hex[:16]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        hops = b",".join(value for name, value in scope["headers"] if name == _HOPS).decode("latin-1")
        incoming_hops.set(hops or None)
        async with AsyncExitStack() as stack:
            reply = await self._reply(scope, headers, request_id, stack)
            if reply.lane_s and self.lane is not None and scope["method"] == "GET" and not scope["query_string"]:
                self.lane.keep(scope["raw_path"], reply)
            if b"disable-module-fetch" in headers:
                reply = _with_header(reply, (b"vary", b"Disable-Module-Fetch"))
            if given == request_id:
                reply = _with_header(reply, (b"x-request-id", request_id.encode()))
            reply = conditioned(reply, headers, head=scope["method"] == "HEAD")
            try:
                await _write(reply, scope, send)
                leaving.cancel()  # who leaves now has it all
            except (PhaleronError, TimeoutError) as e:
                # The head is out: all that is left to say is that this was not the whole.
                _log.error(
                    "broke off while it was being sent", path=scope["path"], error=str(e) or "the client takes nothing"
                )
                abort = scope.get("extensions", {}).get(ABORT)
                if abort is None:
                    raise
                abort()
        _log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=reply.status,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )

    async def _reply(self, scope: Scope, headers: dict[bytes, bytes], request_id: str, stack: AsyncExitStack) -> Reply:
        try:
            if scope["method"] not in ("GET", "HEAD"):
                return text_reply(
                    "method not allowed: GET and HEAD are", 405, b"public, max-age=86400", ((b"allow", b"GET, HEAD"),)
                )
            if self._hops.is_loop(incoming_hops.get()):
                error = OriginFailed("loop: this request has come through this server before; look at GOPROXY of both")
                return _with_header(error_reply(error, request_id), (LOOP_HEADER.lower().encode(), b"1"))
            target = parse_target(scope["raw_path"], self._options.path_prefix)
            cached_only = headers.get(b"disable-module-fetch", b"").strip() in _TRUE
            if isinstance(target, ModuleTarget):
                reply = await self._modules.reply(target, stack, cached_only=cached_only)
                if self.lane is not None and target.query is not None:
                    # What has just been stored may have completed a version, which the module's list gains.
                    self.lane.drop(f"{self._options.path_prefix}/{target.path.escaped}/@v/list".encode())
                return reply
            if isinstance(target, SumdbTarget):
                return await self._modules.sumdb_reply(target, cached_only=cached_only)
            page = self._pages.get(target.path)
            if page is None:
                raise NotFound(f"nothing is served at {target.path}")
            base_url = (
                f"{scope['scheme']}://{headers.get(b'host', b'localhost').decode('latin-1')}{self._options.path_prefix}"
            )
            return await page(dict(parse_qsl(scope["query_string"].decode("latin-1"))), base_url)
        except Answerable as e:
            return error_reply(e, request_id)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the operator the traceback
            _log.exception("failed to answer", path=scope["path"])
            return text_reply(
                f"internal server error (request {request_id})",
                500,
                NO_STORE,
                ((b"x-request-id", request_id.encode()),),
            )


def _patiently(send: Send, idle_s: float) -> Send:
    """Send, but give up a client that takes nothing for `idle_s` seconds: then TimeoutError."""

    async def sending(message: Message) -> None:
        async with asyncio.timeout(idle_s):
            await send(message)

    return sending


async def _left(receive: Receive) -> bool:
    """Wait until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    return True


def _with_header(reply: Reply, header: tuple[bytes, bytes]) -> Reply:
    return replace(reply, extra=(*(h for h in reply.extra if h[0] != header[0]), header))


async def _write(reply: Reply, scope: Scope, send: Send) -> None:
    headers = reply.headers()
    body = reply.body
    if scope["method"] == "HEAD" or reply.status == 304:
        body = b""
    sendfile = scope.get("extensions", {}).get(SENDFILE)
    if isinstance(body, Part) and sendfile is not None:
        await sendfile(reply.status, headers, body.stored.fd, body.offset, body.length)
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
        return
    pieces = _pieces(body) if isinstance(body, Part) else aiter(body)
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _pieces(part: Part) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = part.offset + part.length
    for at in range(part.offset, end, _PIECE_BYTES):
        # Not by its number alone: the thread holds the file, which must not be closed while it is read.
        yield await loop.run_in_executor(None, _pread, part.stored, min(_PIECE_BYTES, end - at), at)


def _pread(stored: Stored, length: int, at: int) -> bytes:
    return os.pread(stored.fd, length, at)
