"""Listening sockets: TCP, or a unix socket; bound before any worker starts, so that one line tells what is wrong."""

import contextlib
import errno
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 4096


class ListenError(Exception):
    """The address cannot be listened on. `str(error)` is one line that says which, and why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a host and port (0 picks a free one), or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix:{self.path}" if self.path else f"{host}:{self.port}"


def listen(address: Address) -> socket.socket:
    """Bind and listen. Raises ListenError."""
    try:
        return _listen_unix(address.path) if address.path else _listen_tcp(address)
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            raise ListenError(
                f"cannot listen on {address}: it is in use by another process; choose another with --listen"
            ) from e
        raise ListenError(f"cannot listen on {address}: {e.strerror or e}") from e


def _listen_tcp(address: Address) -> socket.socket:
    infos = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # A name that has both families listens on IPv4, as most that call it localhost connect.
    family, kind, protocol, _, where = min(infos, key=lambda info: info[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(where)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _listen_unix(path: str) -> socket.socket:
    """A socket file that nobody listens on any more is replaced."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(Path(path).stat().st_mode):
                try:
                    sock.connect(path)
                except ConnectionRefusedError:
                    Path(path).unlink()
                else:
                    raise OSError(errno.EADDRINUSE, "in use")
                sock.close()
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket, *, tls: bool) -> str:
    """Say how to reach a listening socket."""
    name = sock.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host, port = name[0], name[1]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
