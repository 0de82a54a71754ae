"""What the client library raises, turned into the closed set: one line each, with the host and without any URL.

The one place that knows the library's exceptions. It also says which failures are worth another try: those where a server is
down or closed the connection, and not those where a certificate, a name or a setting is wrong.
"""

import errno
import os
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from phaleron.errors import Busy, OriginFailed, OriginTimeout, PhaleronError

LATER = frozenset({429, 500, 502, 503})
"""Statuses of answers that say "not now"."""

RAISED = (aiohttp.ClientError, OSError, ValueError)
"""All that asking and reading can raise in the library; a TimeoutError is an OSError."""

_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Not the origin's fault: this machine has no descriptor, port or memory left for one more connection."""


class Again(Exception):  # noqa: N818 - never leaves `net`
    """A failure that is worth another try; `failure` is what to raise where there is none."""

    def __init__(self, failure: PhaleronError) -> None:
        super().__init__(str(failure))
        self.failure = failure


def host_of(url: str) -> str:
    """Name a URL's host for people: with its port, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]


def failure(error: BaseException, url: str, proxy: str | None, connect_s: float) -> PhaleronError | Again:
    """Say what an error of the library means. `url` was asked, through `proxy` if that is not None."""
    host = host_of(url)
    through = f" through the proxy {host_of(proxy)}" if proxy else ""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return OriginTimeout(f"{host} took no connection within {connect_s:g} s{through}")
        case aiohttp.ClientHttpProxyError():
            text = f"{host}: the proxy {host_of(proxy or '')} answered {status_text(error.status)}"
            return Again(OriginFailed(text)) if error.status in LATER else OriginFailed(text)
        case aiohttp.ClientConnectorDNSError():
            what = f"{host}: its name has no address{through}"
            os_error = error.os_error
            temporary = isinstance(os_error, socket.gaierror) and os_error.errno == socket.EAI_AGAIN
            return Again(OriginFailed(what)) if temporary else OriginFailed(what)
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or "not for this host"
            return OriginFailed(
                f"{host}: its certificate is not trusted: {one_line(why)} (SSL_CERT_FILE adds authorities)"
            )
        case aiohttp.ClientSSLError():
            return OriginFailed(f"{host}: no secure connection: {one_line(error.os_error.strerror or error.os_error)}")
        case aiohttp.ClientConnectorError():
            if error.os_error.errno in _OURS:
                return Busy(f"{host} cannot be asked now: {os.strerror(error.os_error.errno or 0)}")
            return Again(OriginFailed(f"{host} cannot be reached{through}: {_why(error.os_error)}"))
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return Again(OriginFailed(f"{host} closed the connection without an answer{through}"))
        case aiohttp.ClientPayloadError():
            return Again(OriginFailed(f"{host} closed the connection before its answer was whole"))
        case aiohttp.ClientResponseError():
            return OriginFailed(f"{host} does not answer in HTTP: {one_line(error.message)}")
    return OriginFailed(f"{host} cannot be asked: {one_line(error)}")


def _why(error: OSError) -> str:
    """Say why no connection came about. The library joins the errors of several addresses into one text without a number."""
    return os.strerror(error.errno) if error.errno else one_line(error.strerror or error)


def status_text(status: int) -> str:
    """Name a status for people: `503 Service Unavailable`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def one_line(text: object, most: int = 200) -> str:
    """Put any text on one line of at most `most` printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:most]
