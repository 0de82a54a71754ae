"""An answer on its way: its head is there, its body is read piece by piece, under a limit, with a time-out for silence.

Comes from `net.client`. Limits count what travels and what it unpacks to; a body that is cut, longer than it may be, or not
what its head says is OriginFailed.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from phaleron.errors import OriginFailed, OriginTimeout, PhaleronError
from phaleron.gomod.info import without_credentials
from phaleron.net.failures import RAISED, Again, host_of, one_line
from phaleron.net.unpack import Unpacker

PIECE_BYTES = 256 * 1024
"""No piece of a body is longer."""

_DRAINED_BYTES = 64 * 1024
_DRAINED_S = 1.0
"""A body that nobody wants is read to its end within these bounds: that is cheaper than a new connection."""

_START_READ_BYTES = 1 << 20
"""A compressed body may travel for long and unpack to nothing."""


class Response:
    """An answer. `url` is where it came from, after redirects, without credentials."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, idle_timeout_s: float) -> None:
        self._response = response
        self._idle_timeout_s = idle_timeout_s
        self._host = host_of(url)
        self._first: bytes | None = None
        self._encoding = response.headers.get("Content-Encoding", "").strip().lower()
        self.url = without_credentials(url)
        self.status = response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The head's fields, by name in any case."""
        return self._response.headers

    @property
    def size_bytes(self) -> int | None:
        """The body's length; None where the head does not say, or says that of a compressed one."""
        return self._response.content_length if self._encoding in ("", "identity") else None

    @property
    def retry_after_s(self) -> float | None:
        """When the origin says that it may be asked again, in seconds from now; None where it does not say.

        Source: RFC 9110, section 10.2.3; both of its forms.
        """
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())

    async def begin(self) -> None:
        """Wait for the body's first piece: up to then the question can be asked again. Raises Again and OriginTimeout."""
        try:
            self._first = await self._next()
        except OriginFailed as e:
            raise Again(e) from e

    async def pieces(self, limit: int) -> AsyncGenerator[bytes]:
        """Give the body, unpacked, in pieces of at most 256 KiB; once.

        Raises OriginFailed where it is longer than `limit` bytes, cut, or cannot be unpacked; OriginTimeout where nothing
        comes for the idle time-out.
        """
        too_long = OriginFailed(f"{self._host}: its answer is longer than the limit of {limit} bytes")
        if (self._response.content_length or 0) > limit:
            raise too_long
        travelled = unpacked = 0
        try:
            unpacker = Unpacker(self._encoding, PIECE_BYTES)
            while packed := await self._next():
                travelled += len(packed)
                for piece in unpacker.feed(packed):
                    unpacked += len(piece)
                    if unpacked > limit:
                        raise too_long
                    yield piece
                if travelled > limit:
                    raise too_long
            unpacker.finish()
        except ValueError as e:
            raise OriginFailed(f"{self._host}: its answer cannot be read: {one_line(e)}") from e

    async def read(self, limit: int) -> bytes:
        """Read the body whole. Raises as `pieces` does."""
        body = bytearray()
        async for piece in self.pieces(limit):
            body += piece
        return bytes(body)

    async def read_start(self, most: int) -> bytes:
        """Read the body up to `most` bytes, or as far as it comes: for the text beside an error status."""
        body = bytearray()
        with suppress(PhaleronError):
            async with aclosing(self.pieces(_START_READ_BYTES)) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) >= most:
                        break
        return bytes(body[:most])

    async def drain(self) -> None:
        """Read a short body to its end, so that the connection serves again. Whether that works does not matter."""
        with suppress(PhaleronError, TimeoutError):
            if (self._response.content_length or 0) <= _DRAINED_BYTES:
                async with asyncio.timeout(_DRAINED_S):
                    await self.read(_DRAINED_BYTES)
        self.release()

    def release(self) -> None:
        """Give the connection back: for the next question where the body is at its end, else to be closed."""
        self._response.release()

    async def _next(self) -> bytes:
        """Give the next bytes as they travel; none at the end."""
        if (first := self._first) is not None:
            self._first = None
            return first
        try:
            async with asyncio.timeout(self._idle_timeout_s):
                return await self._response.content.read(PIECE_BYTES)
        except TimeoutError as e:
            raise OriginTimeout(f"{self._host} sent nothing for {self._idle_timeout_s:g} s within its answer") from e
        except RAISED as e:
            raise OriginFailed(f"{self._host} broke off before its answer was whole") from e
