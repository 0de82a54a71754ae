"""Sending files by sendfile on a connection that an event loop's transport owns.

The bytes never pass through this process' memory, so a slow reader costs nothing. What the socket takes at once is sent at
once; for the rest a duplicate of the descriptor is watched, since the loop does not let its own be watched by others.
"""

import asyncio
import os

STEP_BYTES = 1 << 20


def send_now(socket_fd: int, fd: int, offset: int, length: int) -> int:
    """Send what the socket takes at once, at most `length` bytes; give how much that was. Raises OSError."""
    sent = 0
    while sent < length:
        try:
            n = os.sendfile(socket_fd, fd, offset + sent, min(length - sent, STEP_BYTES))
        except BlockingIOError:
            break
        if n == 0:
            raise BrokenPipeError("the file has become shorter")
        sent += n
        if n < STEP_BYTES:
            break
    return sent


async def send_rest(transport: asyncio.Transport, fd: int, offset: int, length: int, idle_s: float) -> None:
    """Send the rest as the socket takes it, behind what the transport still has to write.

    Raises OSError, which TimeoutError is: the client took nothing for `idle_s` seconds.
    """
    socket_fd = os.dup(transport.get_extra_info("socket").fileno())
    try:
        await _Pump(transport, socket_fd, fd, offset, offset + length, idle_s).run()
    finally:
        os.close(socket_fd)


class _Pump:
    """Sends a step whenever the socket can take one; a callback each, since a task's turn would cost more than the step."""

    def __init__(
        self, transport: asyncio.Transport, socket_fd: int, fd: int, offset: int, end: int, idle_s: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._socket_fd = socket_fd
        self._fd = fd
        self._offset = offset
        self._end = end
        self._idle_s = idle_s
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        if self._offset == self._end:
            return
        self._loop.add_writer(self._socket_fd, self._step)
        self._watching = self._loop.call_later(self._idle_s, self._watch, self._offset)
        try:
            await self._done
        finally:
            self._watching.cancel()
            self._loop.remove_writer(self._socket_fd)

    def _step(self) -> None:
        if self._done.done():
            return
        if self._transport.is_closing():
            self._done.set_exception(BrokenPipeError("the connection was closed"))
        elif self._transport.get_write_buffer_size() == 0:  # else the loop writes what it has first
            try:
                self._offset += send_now(
                    self._socket_fd, self._fd, self._offset, min(self._end - self._offset, STEP_BYTES)
                )
            except OSError as e:
                self._done.set_exception(e)
            else:
                if self._offset == self._end:
                    self._done.set_result(None)

    def _watch(self, offset: int) -> None:
        if self._offset != offset:
            self._watching = self._loop.call_later(self._idle_s, self._watch, self._offset)
        elif not self._done.done():
            self._done.set_exception(TimeoutError(f"the client took nothing for {self._idle_s:g} s"))
