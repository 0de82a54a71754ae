"""A zip that begins to be sent while it still arrives, because it takes long and edges give up on silent origins.

Its last 64 KiB are held back until all of it is verified and stored: on failure the connection is cut, which every client
sees, and no client ever holds a whole zip that was not verified.
"""

import os
from collections.abc import AsyncIterator

from phaleron.mirror.flights import Flight
from phaleron.store.blob import Blob

HELD_BACK_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024


class Arriving:
    """Content (see sources) read from the file that a flight is writing. `close` it."""

    def __init__(self, flight: Flight[Blob], size_bytes: int) -> None:
        self._flight = flight
        self._size_bytes = size_bytes
        # Ours, since the flight's own ends with it; the bytes are those that came, whatever another process stored.
        self._fd = os.dup(flight.fd)

    @property
    def size_bytes(self) -> int:
        """The whole length, as the origin said it."""
        return self._size_bytes

    @property
    def origin(self) -> str:
        """Not known before it has arrived."""
        return ""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        at = 0
        while at < self._size_bytes:
            if self._flight.task.done():
                self._flight.task.result()
                ready = self._size_bytes
            else:
                ready = min(self._flight.have_bytes, self._size_bytes - HELD_BACK_BYTES)
            if at < ready:
                piece = os.pread(self._fd, min(_PIECE_BYTES, ready - at), at)
                at += len(piece)
                yield piece
            else:
                await self._flight.moved()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)
