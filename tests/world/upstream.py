"""A GOPROXY server on loopback, in a thread: it counts what it is asked, and is slow, broken or gone as it is told.

It serves trees of files and bodies that a test gives it. What it is asked of a checksum database it asks the machine's own
upstream, once, and keeps.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from tests.world.cache import cache_root
from tests.world.gocmd import machine_go_env


@dataclass
class Fault:
    """What goes wrong with an answer. Times are in seconds."""

    status: int = 0
    """Answer this instead."""
    text: str = ""
    delay_s: float = 0
    hang: bool = False
    """Never answer."""
    cut_at: int = -1
    """Break the connection behind so many bytes of the body."""
    length: int | None = None
    """Say this Content-Length, whatever the body is."""
    times: int = 1 << 60
    """How often it happens."""
    headers: dict[str, str] = field(default_factory=dict)


class Upstream:
    """The server. Use it as a context manager."""

    def __init__(self, *trees: Path) -> None:
        self.trees = trees
        self.bodies: dict[str, bytes] = {}
        """By path, before the trees."""
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.delay_s = 0.0
        self.faults: dict[str, Fault] = {}
        """By path."""
        self.fault: Callable[[str], Fault | None] = lambda path: None
        """For paths that have none of their own."""
        self.seen_headers: list[dict[str, str]] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="upstream", daemon=True)
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def files_asked(self) -> Counter[str]:
        """What was asked for, without the checksum database."""
        return Counter({path: n for path, n in self.asked.items() if not path.startswith("/sumdb/")})

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unplug()
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def unplug(self) -> None:
        """Be gone: connections are refused from now on, and open ones are cut."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)

    def plug(self) -> None:
        """Be back, at the same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._client = aiohttp.ClientSession(loop=self._loop)
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        app = web.Application(handler_args={"auto_decompress": False})
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=4096)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it has no public name

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.replace("%21", "!")
        self.asked[path] += 1
        self.seen_headers.append(dict(request.headers))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._respond(request, path)
        finally:
            self.at_once -= 1

    async def _respond(self, request: web.Request, path: str) -> web.StreamResponse:
        fault = self.faults.get(path) or self.fault(path) or Fault()
        if fault.times <= 0:
            fault = Fault()
        fault.times -= 1
        await asyncio.sleep(self.delay_s + fault.delay_s)
        if fault.hang:
            await asyncio.Event().wait()
        if fault.status:
            return web.Response(status=fault.status, text=fault.text, headers=fault.headers)
        body = await self._body(path)
        if body is None:
            return web.Response(status=404, text=f"not found: {path}")
        response = web.StreamResponse(headers=fault.headers)
        response.content_length = len(body) if fault.length is None else fault.length
        await response.prepare(request)
        end = len(body) if fault.cut_at < 0 else fault.cut_at
        for at in range(0, end, 1 << 16):
            await response.write(body[at : min(end, at + (1 << 16))])
        if end < len(body):
            assert request.transport is not None
            request.transport.abort()
        return response

    async def _body(self, path: str) -> bytes | None:
        if path in self.bodies:
            return self.bodies[path]
        if path.startswith("/sumdb/"):
            return await self._sumdb(path)
        for tree in self.trees:
            file = tree / path.lstrip("/")
            if file.is_file():
                return file.read_bytes()
        return None

    async def _sumdb(self, path: str) -> bytes | None:
        kept = cache_root() / "sumdb" / path.removeprefix("/sumdb/")
        if kept.is_file():
            return kept.read_bytes()
        base = machine_go_env("GOPROXY").split(",")[0].split("|")[0]
        async with self._client.get(f"{base}{path}") as response:
            if response.status != 200:
                return None
            body = await response.read()
        if not path.endswith("/latest"):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(body)
        return body
