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

    Raises OSError, and TimeoutError where the client takes nothing for `idle_s` seconds.
    """
    loop = asyncio.get_running_loop()
    socket_fd = os.dup(transport.get_extra_info("socket").fileno())
    end = offset + length
    try:
        while offset < end:
            ready = loop.create_future()
            loop.add_writer(socket_fd, _wake, ready)
            try:
                async with asyncio.timeout(idle_s):
                    await ready
            finally:
                loop.remove_writer(socket_fd)
            if transport.is_closing():
                raise BrokenPipeError("the connection was closed")
            if transport.get_write_buffer_size() == 0:
                offset += send_now(socket_fd, fd, offset, min(end - offset, STEP_BYTES))
            else:
                await asyncio.sleep(0)  # the loop writes what it has first
    finally:
        os.close(socket_fd)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
