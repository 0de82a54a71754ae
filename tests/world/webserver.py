"""The web server in this process, over a source of a few lines, and a client that sees every byte."""

import asyncio
import contextlib
import hashlib
import os
import random
import ssl
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uvicorn
from uvicorn.server import ServerState

from phaleron.errors import NotFound, PhaleronError
from phaleron.gomod.info import Info, encode_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.net.hops import Hops
from phaleron.sources.source import Answer, Content
from phaleron.store.blob import Blob
from phaleron.store.records import FileRow
from phaleron.store.sqlite import SqliteCatalog
from phaleron.web.app import App
from phaleron.web.lane import Lane, LaneCache, lane_protocol
from phaleron.web.options import WebOptions
from tests.world.stored import ORIGIN, TIME

M = ModulePath("example.com/Some/module")
V = Version("v1.0.0")
BASE = f"/{M.escaped}"
DATE = (b"date", b"Tue, 02 Jan 2024 03:04:05 GMT")


@dataclass
class Pieces:
    """A zip on its way: what breaks on the way raises `error` at the end."""

    pieces: list[bytes]
    size_bytes: int
    error: PhaleronError | None = None
    origin: str = ORIGIN

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error


@dataclass
class Source:
    """One module with one version. It counts what it is asked, and fails or waits as told."""

    zip_body: bytes
    mod_body: bytes = b"module example.com/Some/module\n"
    listed: tuple[Version, ...] = (V,)
    stale: bool = False
    error: Exception | None = None
    content: Content | None = None
    hold: asyncio.Event | None = None
    asked: Counter[str] = field(default_factory=Counter)
    cancelled: int = 0

    def __post_init__(self) -> None:
        fd = os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR)
        for at in range(0, len(self.zip_body), 1 << 20):
            os.write(fd, self.zip_body[at : at + (1 << 20)])
        digest = hashlib.sha256(self.zip_body).hexdigest()
        self.blob = Blob(FileRow(M, V, "zip", digest, len(self.zip_body), ORIGIN, "h1:", None), fd)

    async def _ask(self, what: str, path: ModulePath) -> None:
        self.asked[what] += 1
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if self.error is not None:
            raise self.error
        if path != M:
            raise NotFound(f"{path}: no such module")

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        await self._ask("list", path)
        body = "".join(f"{v}\n" for v in self.listed).encode()
        return Answer(self.listed, body, ORIGIN, age_s=90.5 if self.stale else 0, stale=self.stale)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        await self._ask("latest", path)
        return self._info(V)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        await self._ask("info", path)
        return self._info(V)

    def _info(self, version: Version) -> Answer[Info]:
        info = Info(version, TIME)
        return Answer(info, encode_info(info), ORIGIN)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        await self._ask("mod", path)
        return Answer(self.mod_body, self.mod_body, ORIGIN)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        await self._ask("zip", path)
        yield self.blob if self.content is None else self.content


class SumdbSays(NamedTuple):
    """What a checksum database says."""

    body: bytes
    content_type: str
    max_age_s: int
    immutable: bool


class Sumdb:
    """Supports `sum.example`, whose tiles are all alike."""

    async def answer(self, rest: str, fetch: bool = True) -> SumdbSays:
        name, _, asked = rest.partition("/")
        if name != "sum.example":
            raise NotFound(f"checksum database {name} is not served here")
        if asked == "supported":
            return SumdbSays(b"", "text/plain; charset=utf-8", 60, False)
        return SumdbSays(b"tile", "application/octet-stream", 0, True)


class Got(NamedTuple):
    """An answer, with its headers in the order in which they came."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def __getitem__(self, name: object) -> bytes:  # type: ignore[override]  # by name is how headers are read
        assert isinstance(name, str)
        found = [value for key, value in self.headers if key == name.encode()]
        assert len(found) < 2, f"{name} twice"
        return found[0] if found else b""


class Connection:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, target: str, *, method: str = "GET", version: str = "1.1", **headers: str) -> None:
        """Write a request."""
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        self.writer.write(f"{method} {target} HTTP/{version}\r\nhost: x\r\n{''.join(lines)}\r\n".encode("latin-1"))

    async def receive(self, *, method: str = "GET") -> Got:
        """Read an answer."""
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].split(b"\r\n")
            headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
            status = int(first.split()[1])
            length = int(dict(headers).get(b"content-length", b"0"))
            body = b"" if method == "HEAD" or status == 304 else await self.reader.readexactly(length)
            return Got(status, headers, body)

    async def ask(self, target: str, *, method: str = "GET", version: str = "1.1", **headers: str) -> Got:
        """Send a request and read its answer."""
        self.send(target, method=method, version=version, **headers)
        return await self.receive(method=method)

    async def ended(self) -> bytes:
        """Wait until the server ends the connection; give what came before."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@dataclass
class Served:
    """A server with its parts at hand."""

    source: Source
    kept: Source
    cache: LaneCache
    state: ServerState
    app: App
    port: int
    ssl: ssl.SSLContext | None
    hops: Hops

    @asynccontextmanager
    async def connection(self, *, limit: int = 1 << 16) -> AsyncIterator[Connection]:
        """Connect."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.ssl, limit=limit, server_hostname="localhost" if self.ssl else None
        )
        try:
            yield Connection(reader, writer)
        finally:
            writer.transport.abort()

    async def ask(self, target: str, *, method: str = "GET", version: str = "1.1", **headers: str) -> Got:
        """Ask once, on a connection of its own."""
        async with self.connection() as connection:
            return await connection.ask(target, method=method, version=version, **headers)

    def lanes(self) -> list[Lane]:
        """The connections that are open."""
        return [c for c in self.state.connections if isinstance(c, Lane)]


@asynccontextmanager
async def web_server(
    directory: Path,
    options: WebOptions | None = None,
    *,
    zip_bytes: int = 300_000,
    server_tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Served]:
    """Serve for the length of a block. The Date is always the same."""
    options = options or WebOptions()
    source, kept = Source(random.Random(zip_bytes).randbytes(zip_bytes)), Source(b"kept")
    catalog = SqliteCatalog(directory / "catalog.db")
    cache = LaneCache(options.lane_bytes, options.lane_files)
    hops = Hops()
    app = App(
        source=source,
        kept=kept,
        catalog=catalog,
        sumdb=Sumdb(),
        hops=hops,
        options=options,
        lane=cache if options.fast_lane else None,
    )
    protocol = lane_protocol(cache, options)
    config = uvicorn.Config(
        app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    config.load()
    state = ServerState()
    state.default_headers = [DATE]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0, ssl=server_tls, backlog=4096
    )
    try:
        port = server.sockets[0].getsockname()[1]
        yield Served(source, kept, cache, state, app, port, client_tls, hops)
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while state.connections or state.tasks:
                    await asyncio.sleep(0.01)
        await catalog.close()
