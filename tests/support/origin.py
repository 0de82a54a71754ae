"""An HTTP server on loopback that does exactly what a test tells it to, down to the byte, and counts what it is asked."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request: its target as it came, its fields by lower-case name, and which connection it came on."""

    method: str
    target: str
    headers: Mapping[str, str]
    connection: int


class Wire:
    """The way back to the client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, status: int, body: bytes = b"", **fields: str) -> None:
        """Send a whole answer. A field's name is written with `_` for `-`; Content_Length can be overruled, or be empty."""
        named = {"Content_Length": str(len(body)), **fields}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items() if value)
        await self.raw(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body)
        if fields.get("Connection") == "close":
            self.cut()

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hang(self) -> None:
        """Say nothing more until the client goes away."""
        await self.reader.read()

    def cut(self) -> None:
        """Close the connection in good order."""
        self.writer.close()

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answering = Callable[[Asked, Wire], Awaitable[None]]


@dataclass
class Origin:
    """A running server. Change `answer` at any time."""

    answer: Answering
    scheme: str = "http"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                asked = Asked(method, target, headers, connection)
                self.asked.append(asked)
                await self.answer(asked, Wire(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client went away: its good right
        finally:
            writer.close()


@asynccontextmanager
async def origin(answer: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """Run a server for the time of the context."""
    it = Origin(answer, "https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(it.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def always(status: int, body: bytes = b"", **fields: str) -> Answering:
    """Give the same answer to everything."""

    async def answer(asked: Asked, wire: Wire) -> None:
        await wire.send(status, body, **fields)

    return answer


def in_turn(*answers: Answering) -> Answering:
    """Give each answer once, and the last one for ever."""
    left = list(answers)

    async def answer(asked: Asked, wire: Wire) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, wire)

    return answer


async def reset(asked: Asked, wire: Wire) -> None:
    """Reset the connection without a word."""
    wire.reset()


async def cut(asked: Asked, wire: Wire) -> None:
    """Close the connection without a word."""
    wire.cut()


async def hang(asked: Asked, wire: Wire) -> None:
    """Never answer."""
    await wire.hang()
