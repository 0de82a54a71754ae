"""The fast lane: what was answered before is answered again inside the HTTP parser's callback.

No task, no framework, no second parse: small bodies are ready-made bytes, zips go by sendfile. The lane holds nothing that the
ordinary path has not answered, and answers it byte for byte; a request with any header that may change the answer leaves it.
It is a subclass of uvicorn's protocol, whose timers, pipelining and shutdown stay what they are. The same class gives the
ordinary path its way of sending files.
"""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from phaleron.net.hops import HOPS_HEADER
from phaleron.web.app import ABORT, SENDFILE
from phaleron.web.errors import text_reply
from phaleron.web.options import WebOptions
from phaleron.web.reply import NO_STORE, Header, Part, Reply, Stored
from phaleron.web.sendfile import send_now, send_rest

_CHANGES_THE_ANSWER = frozenset(
    {
        b"range",
        b"if-none-match",
        b"if-modified-since",
        b"if-match",
        b"if-range",
        b"if-unmodified-since",
        b"expect",
        b"upgrade",
        b"content-length",
        b"transfer-encoding",
        b"disable-module-fetch",
        HOPS_HEADER.lower().encode(),
        b"x-request-id",
        b"athens-request-id",
    }
)
_ENTRY_BYTES = 512
"""What an entry costs beside its bytes, about."""
_LARGEST_SHARE = 8
"""What takes more than one in so many of the lane's bytes is not kept: it would push out too much."""


class Entry:
    """A reply to repeat: everything behind the Date header, and the file behind that, if there is one."""

    __slots__ = ("cost", "ends", "stored", "wire")

    def __init__(self, wire: bytes, stored: Stored | None, ends: float) -> None:
        self.wire = wire
        self.stored = stored
        self.ends = ends
        self.cost = len(wire) + _ENTRY_BYTES


class LaneCache:
    """Replies by raw target, bounded in bytes and in open files; the oldest goes first."""

    def __init__(self, most_bytes: int, most_files: int) -> None:
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._bytes = 0
        self._files: OrderedDict[bytes, None] = OrderedDict()
        self.entries: dict[bytes, Entry] = {}
        self.hits = 0

    def keep(self, target: bytes, reply: Reply) -> None:
        """Take a reply of 200 that may be repeated for `reply.lane_s` seconds."""
        if reply.status != 200 or reply.streamed:
            return
        head = b"".join(b"%b: %b\r\n" % header for header in reply.headers()) + b"\r\n"
        ends = time.monotonic() + reply.lane_s
        self.drop(target)
        if isinstance(reply.body, bytes):
            if len(reply.body) > self._most_bytes // _LARGEST_SHARE:
                return
            entry = Entry(head + reply.body, None, ends)
        elif isinstance(reply.body, Part):
            entry = Entry(head, reply.body.stored, ends)
            self._files[target] = None
            if len(self._files) > self._most_files:
                self.drop(next(iter(self._files)))
        else:
            return
        self.entries[target] = entry
        self._bytes += entry.cost
        while self._bytes > self._most_bytes and self.entries:
            self.drop(next(iter(self.entries)))

    def drop(self, target: bytes) -> None:
        """Forget a reply, if it is there."""
        entry = self.entries.pop(target, None)
        if entry is not None:
            self._bytes -= entry.cost
            self._files.pop(target, None)


class Lane(HttpToolsProtocol):
    """The protocol of one connection. Subclasses, one a server, say which cache is theirs."""

    cache: LaneCache
    options: WebOptions
    _repeated = False
    _head_began = 0.0
    """When the head that is being read began, by the loop's clock; 0 where none is."""
    _head_bytes = 0
    _unsent_bytes = 0
    """What waited to be written when that was last looked at."""
    _prefix: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._head_began = self.loop.time()
        self._look = self.loop.call_later(self.options.head_s, self._look_after_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_began and self._head_bytes > self.options.head_bytes and not self.transport.is_closing():
            self._refuse(431, "the head of the request is too long")

    def _look_after_head(self) -> None:
        """Drop who does not finish a head, or takes nothing of a last answer: uvicorn waits for ever."""
        now = self.loop.time()
        if self.transport.is_closing():
            if self._has_stalled():
                self.transport.abort()
            else:
                self._look = self.loop.call_later(self.options.idle_s, self._look_after_head)
            return
        if not self._head_began and self.timeout_keep_alive_task is None and self._is_idle():
            self._head_began = now  # it has sent something that begins no request
        wait_s = self._head_began + self.options.head_s - now if self._head_began else self.options.head_s
        if wait_s <= 0:
            self.transport.abort()
            return
        self._look = self.loop.call_later(wait_s, self._look_after_head)

    def timeout_keep_alive_handler(self) -> None:
        # Closing waits for what is not written yet: for ever, where a client has stopped reading.
        if self._has_stalled():
            self.transport.abort()
        elif self._unsent_bytes:
            self.timeout_keep_alive_task = self.loop.call_later(self.options.idle_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _has_stalled(self) -> bool:
        """Tell whether the client has taken nothing of what waits to be written since this was last asked."""
        before, self._unsent_bytes = self._unsent_bytes, self.transport.get_write_buffer_size()
        return 0 < self._unsent_bytes == before

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "the request is not HTTP/1.1")

    def _refuse(self, status: int, text: str) -> None:
        if not self._is_idle():
            self.transport.abort()  # in the midst of an answer nothing can be said
            return
        line = f"bad request: {text}"
        reply = text_reply(line, status, NO_STORE)
        lines = [*self.server_state.default_headers, *reply.headers(), (b"connection", b"close")]
        head = b"".join(b"%b: %b\r\n" % header for header in lines)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, b"%b\n" % line.encode()))
        self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def on_message_begin(self) -> None:
        self._head_began = self.loop.time()
        self._head_bytes = 0
        # The scope is made for requests that leave the lane only.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        self._head_began = 0.0
        entry = self.cache.entries.get(self.url)
        if entry is not None and self._may_repeat(entry):
            self._repeated = True
            self.cache.hits += 1
            self._repeat(entry)
            return
        self._repeated = False
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()
        cycle = self.cycle
        extensions: dict[str, Any] = {ABORT: partial(self._abort, cycle)}
        if self.scheme == "http":
            extensions[SENDFILE] = partial(self._send_file, cycle)
        cycle.scope["extensions"] = extensions

    def _may_repeat(self, entry: Entry) -> bool:
        if not self._is_idle() or self.flow.write_paused:
            return False
        if self.parser.get_method() != b"GET" or not self.parser.should_keep_alive():
            return False
        if self.parser.get_http_version() != "1.1":
            return False
        if entry.stored is not None and self.scheme != "http":
            return False
        for name, _ in self.headers:
            if name in _CHANGES_THE_ANSWER:
                return False
        if entry.ends < time.monotonic():
            self.cache.drop(self.url)
            return False
        return True

    def _head(self) -> bytes:
        """Give the status line of 200 with the headers that the server adds itself: the Date, renewed every second."""
        defaults = self.server_state.default_headers
        if Lane._prefix[0] is not defaults:
            Lane._prefix = (defaults, STATUS_LINE[200] + b"".join(b"%b: %b\r\n" % header for header in defaults))
        return Lane._prefix[1]

    def _repeat(self, entry: Entry) -> None:
        stored = entry.stored
        head = self._head() + entry.wire
        if stored is None:
            self.transport.write(head)
            self.on_response_complete()
            return
        size = stored.size_bytes
        sent = self._write_at_once(head)
        done = 0
        if sent:
            try:
                done = send_now(self.transport.get_extra_info("socket").fileno(), stored.fd, 0, size)
            except OSError:
                self.transport.abort()
                return
            if done == size:
                self.on_response_complete()
                return
        else:
            self.transport.write(head)
        cycle = self._stand_in()
        task = self.loop.create_task(self._send_repeated(cycle, stored, done))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _write_at_once(self, head: bytes) -> bool:
        """Write to the socket itself, where nothing waits to be written before; False if it takes nothing now."""
        if self.transport.get_write_buffer_size():
            return False
        try:
            n = os.write(self.transport.get_extra_info("socket").fileno(), head)
        except OSError:
            return False
        if n < len(head):
            self.transport.write(head[n:])
        return n == len(head)

    def _stand_in(self) -> RequestResponseCycle:
        """Put a cycle in place while a file is on its way, so that pipelining and shutdown see it."""
        cycle = RequestResponseCycle(
            scope={},  # type: ignore[typeddict-item]  # nothing is served from this one
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        cycle.response_started = True
        self.cycle = cycle
        self.flow.pause_reading()
        return cycle

    async def _send_repeated(self, cycle: RequestResponseCycle, stored: Stored, done: int) -> None:
        try:
            await send_rest(self.transport, stored.fd, done, stored.size_bytes - done, self.options.idle_s)
        except OSError:
            self._abort(cycle)
            return
        self._complete(cycle, self.on_response_complete)

    async def _send_file(
        self, cycle: RequestResponseCycle, status: int, headers: list[Header], fd: int, offset: int, length: int
    ) -> None:
        """The ordinary path's way to send a file; see SENDFILE."""
        if cycle.disconnected:
            return
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers))]
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"".join([*lines, b"\r\n"]))
        try:
            await send_rest(self.transport, fd, offset, length, self.options.idle_s)
        except OSError:
            self._abort(cycle)
            return
        self._complete(cycle, cycle.on_response)

    @staticmethod
    def _complete(cycle: RequestResponseCycle, on_response: Callable[[], None]) -> None:
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        on_response()

    def _abort(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        self.transport.abort()

    def on_body(self, body: bytes) -> None:
        if not self._repeated:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._repeated:
            super().on_message_complete()


def lane_protocol(cache: LaneCache, options: WebOptions) -> type[Lane]:
    """Make the protocol class of a server."""
    return type("ServerLane", (Lane,), {"cache": cache, "options": options})
