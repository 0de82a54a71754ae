"""One plain question to a server at a listen address: who are you, do you live? For `doctor`, and for containers' health checks."""

import http.client
import socket
import ssl
from dataclasses import dataclass

from phaleron.settings.listen import Listen


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; the body's first KiB."""

    status: int
    body: str


class _AtFile(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(address: Listen, path: str, *, tls: bool, timeout_s: float = 5) -> Reply:
    """Ask the server that listens at `address` for `path`. Raises OSError where none answers in HTTP."""
    connection: http.client.HTTPConnection
    if address.unix:
        connection = _AtFile(address.unix, timeout_s)
    else:
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104 - to call, not to bind
        if tls:
            # It is the server on this machine that is asked, by an address that its certificate need not name.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(host, address.port, timeout=timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(host, address.port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"User-Agent": "phaleron-doctor"})
        response = connection.getresponse()
        return Reply(response.status, response.read(1024).decode(errors="replace"))
    except http.client.HTTPException as e:
        raise OSError(f"what answers is no HTTP server: {e}") from e
    finally:
        connection.close()
