"""The server's certificate, read again when its files change.

New handshakes get the new one; connections that are open go on. A new pair that does not work is told in the log, and the
old one stays.
"""

import asyncio
import os
import ssl

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_LOOK_S = 1.0


class TlsError(Exception):
    """The certificate and key do not work. `str(error)` is one line."""


def _no_password() -> str:
    """Stand for the question that OpenSSL would ask at the terminal."""
    return ""


class Certificate:
    """A certificate and its key, as files."""

    def __init__(self, cert: str, key: str) -> None:
        """Read them. Raises TlsError."""
        self._cert = cert
        self._key = key
        self._stamp = self._look()
        self.context = self._load()

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except (OSError, ssl.SSLError) as e:
            raise TlsError(f"TLS certificate {self._cert} with key {self._key}: {e.strerror or e}") from e
        return context

    def _look(self) -> tuple[object, ...]:
        stamp: list[object] = []
        for name in (self._cert, self._key):
            try:
                there = os.stat(name)
            except OSError:
                stamp.append(None)
            else:
                stamp.append((there.st_mtime_ns, there.st_ino, there.st_size))
        return tuple(stamp)

    async def watch(self) -> None:
        """Look for changes, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            stamp = self._look()
            if stamp == self._stamp:
                continue
            self._stamp = stamp
            try:
                self._load()  # into a context of its own first: a pair that does not match would spoil the one in use
                self.context.load_cert_chain(self._cert, self._key, password=_no_password)
            except (TlsError, OSError) as e:
                _log.error("the changed certificate does not work, the old one stays", error=str(e))
            else:
                _log.info("took up the changed certificate", cert=self._cert)
