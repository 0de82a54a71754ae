"""One server process: uvicorn with the fast lane, on sockets that are listening already.

SIGTERM or SIGINT stops accepting, lets running answers finish for a while, and ends well; a second one ends at once.
"""

import asyncio
import contextlib
import gc
import math
import os
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager

import structlog
import uvicorn
import uvloop

from phaleron.web.app import App
from phaleron.web.lane import LaneCache, lane_protocol
from phaleron.web.options import WebOptions
from phaleron.web.sockets import BACKLOG
from phaleron.web.tls import Certificate

AppFactory = Callable[[], AbstractAsyncContextManager[App]]
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_KEEP_ALIVE_S = 75


class _Server(uvicorn.Server):
    """uvicorn's server, with signals that end it well: its own raises them again when it has ended."""

    def __init__(self, config: uvicorn.Config, parent: int | None) -> None:
        super().__init__(config)
        self._parent = parent

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # a terminal's goes to the parent as well, and it hands on its own
            loop.add_signal_handler(number, self._stop)
        if self._parent is not None:
            loop.add_reader(self._parent, self._parent_ended, self._parent)
        yield

    def _parent_ended(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        if not self.should_exit:
            self._stop()

    def _stop(self) -> None:
        if self.should_exit:
            os._exit(1)  # asked twice: what is stored is whole at any instant, and the rest is given up
        _log.info("stopping: running answers are finished first")
        self.should_exit = True


async def _serve(
    make_app: AppFactory,
    sockets: Sequence[socket.socket],
    options: WebOptions,
    drain_s: float,
    certificate: Certificate | None,
    parent: int | None,
) -> None:
    cache = LaneCache(options.lane_bytes if options.fast_lane else 0, options.lane_files)
    async with make_app() as app:
        app.lane = cache if options.fast_lane else None
        config = uvicorn.Config(
            app,
            http=lane_protocol(cache, options),
            ws="none",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=math.ceil(drain_s),
        )
        config.load()
        watching: asyncio.Task[None] | None = None
        if certificate is not None:
            config.ssl = certificate.context
            watching = asyncio.create_task(certificate.watch())
        gc.collect()
        # What is there now stays, and the collector need not look at it again. Its thresholds are low on purpose: a thousand
        # waiting requests leave cycles, and gathering 50,000 objects before looking cost 50 MiB in the herd benchmark.
        gc.freeze()
        gc.set_threshold(2_000, 10, 10)
        await _Server(config, parent).serve(list(sockets))
        if watching is not None:
            watching.cancel()


def run_worker(
    make_app: AppFactory,
    sockets: Sequence[socket.socket],
    options: WebOptions,
    *,
    drain_s: float,
    certificate: Certificate | None = None,
    parent: int | None = None,
) -> None:
    """Serve until a signal ends it, or the other end of the pipe `parent` is closed."""
    uvloop.run(_serve(make_app, sockets, options, drain_s, certificate, parent))
