"""Starting to serve: sockets, limits, and one process or several.

With one worker this very process serves. With more, it forks them, starts one anew that dies, and hands signals on; they share
the listening sockets.
"""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from phaleron.web.options import WebOptions
from phaleron.web.sockets import Address, listen, url_of
from phaleron.web.tls import Certificate
from phaleron.web.worker import AppFactory, run_worker

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_QUICK_DEATH_S = 2.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ENDED_WELL = (0, -signal.SIGTERM)
"""Exit codes of workers that were told to end; the second is one that had not begun."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server is started. Times are in seconds."""

    addresses: Sequence[Address]
    workers: int = 1
    tls_cert: str = ""
    tls_key: str = ""
    drain_s: float = 30
    warnings: Sequence[str] = ()
    """Said behind the line that tells where it listens, which is always the first."""


def serve(make_app: AppFactory, server: ServerOptions, web: WebOptions) -> int:
    """Serve until a signal ends it; give the exit code. Raises ListenError, TlsError."""
    certificate = Certificate(server.tls_cert, server.tls_key) if server.tls_cert else None
    sockets = [listen(address) for address in server.addresses]
    _log.info("listening", url=url_of(sockets[0], tls=certificate is not None), workers=server.workers, pid=os.getpid())
    for warning in server.warnings:
        _log.warning(warning)
    _raise_descriptor_limit()

    def work(parent: int | None = None) -> None:
        run_worker(make_app, sockets, web, drain_s=server.drain_s, certificate=certificate, parent=parent)

    try:
        if server.workers == 1:
            work()
            return 0
        return _Parent(work, server.workers, sockets).run()
    finally:
        for address in server.addresses:
            if address.path:
                Path(address.path).unlink(missing_ok=True)


def _raise_descriptor_limit() -> None:
    """A stock shell allows 1,024 descriptors, which a busy proxy needs more of."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Parent:
    """Looks after the workers."""

    def __init__(self, work: Callable[[int], None], workers: int, sockets: Sequence[socket.socket]) -> None:
        self._work = work
        self._sockets = sockets
        self._wanted = workers
        self._began: dict[int, float] = {}
        self._signals = 0
        # Nothing is written to it: it ends with this process, however that ends, and the workers see it.
        self._parent, self._here = os.pipe()

    def run(self) -> int:
        """Start the workers and wait for their end; give 0 if all ended well after a signal, else 1."""
        for number in _SIGNALS:
            signal.signal(number, self._hand_on)
        for _ in range(self._wanted):
            self._fork()
        worst = 0
        while self._began:
            pid, status = os.wait()
            began = self._began.pop(pid, None)
            if began is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            if self._signals:
                if code not in _ENDED_WELL:
                    _log.error("a worker did not end well", pid=pid, code=code)
                    worst = 1
            elif code == 1 and time.monotonic() - began < _QUICK_DEATH_S:
                # It has said what it cannot do; so will the next one.
                self._hand_on(signal.SIGTERM, None)
                worst = 1
            else:
                _log.error("a worker died, starting another", pid=pid, code=code)
                self._fork()
        return worst

    def _fork(self) -> None:
        # A signal in here would not be handed on to the new one.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = 0 if self._signals else os.fork()
        if pid or self._signals:
            if pid:
                self._began[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent hands it on
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._here)
            self._work(self._parent)
            code = 0
        except Exception as e:  # noqa: BLE001 - a worker ends here, and its parent learns how
            _log.error("a worker cannot serve", error=str(e))
        finally:
            os._exit(code)

    def _hand_on(self, _number: int, _frame: object) -> None:
        self._signals += 1
        for sock in self._sockets:
            sock.close()  # open here, it would take connections that nobody answers
        for pid in list(self._began):
            os.kill(pid, signal.SIGTERM)
