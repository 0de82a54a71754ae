"""Fetch lanes: how much may be asked of origins at one time, so that memory and descriptors are bounded by configuration.

A lane has places for all hosts together and places for each host, and a budget of bytes on their way. The host's place is
taken first: those who wait for a slow host hold nothing that the others need. Who gets no place by the deadline is told
`Busy`. Hits never come here. `Laned` puts an origin into its lanes; lists and files have one each.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from phaleron.errors import Busy
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.sources.source import Answer, Content, ModuleSource


class Budget:
    """A number of units to be shared, first come, first served.

    A request for more than there is in all takes all of it, so that nothing is too big to be served alone.
    """

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError("a budget needs at least one unit")
        self._total = total
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def idle(self) -> bool:
        """True while nobody has or wants any of it."""
        return self._free == self._total and not self._waiting

    async def take(self, units: int, deadline: float) -> int:
        """Wait until the units are there, at most until the loop's clock says `deadline`; give back what was taken."""
        units = min(units, self._total)
        if not self._waiting and self._free >= units:
            self._free -= units
            return units
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((units, turn))
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.give(units)  # the turn came in the same instant in which we were called away
            else:
                self._waiting = deque(w for w in self._waiting if w[1] is not turn)
                self._wake()
            raise
        return units

    def give(self, units: int) -> None:
        """Give units back."""
        self._free += units
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._free >= self._waiting[0][0]:
            units, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= units
                turn.set_result(None)


class Lane:
    """Bounds what is asked of all origins together and of each host.

    Arguments: `flights` and `flights_per_host` are numbers of requests on their way, `size_bytes` is the sum of the
    bodies on their way, `deadline_s` is how long a request waits for its place, in seconds.
    """

    def __init__(self, *, flights: int, flights_per_host: int, size_bytes: int, deadline_s: float) -> None:
        self._all = Budget(flights)
        self._hosts: dict[str, Budget] = {}
        self._per_host = flights_per_host
        self._bytes = Budget(size_bytes)
        self._deadline_s = deadline_s

    @asynccontextmanager
    async def flight(self, host: str) -> AsyncIterator[None]:
        """Hold a place for one request to `host`. Raises Busy where none is free in time."""
        places = self._hosts.get(host)
        if places is None:
            places = self._hosts[host] = Budget(self._per_host)
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with self._hold(places, 1, deadline), self._hold(self._all, 1, deadline):
                yield
        except _NoPlace:
            raise Busy(f"too many requests to {host} are under way; try again later") from None
        finally:
            if places.idle:
                self._hosts.pop(host, None)

    @asynccontextmanager
    async def bytes(self, size: int) -> AsyncIterator[None]:
        """Hold a share of the bytes on their way. Raises Busy where it does not come free in time."""
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with self._hold(self._bytes, size, deadline):
                yield
        except _NoPlace:
            raise Busy("too many bytes are on their way; try again later") from None

    @staticmethod
    @asynccontextmanager
    async def _hold(budget: Budget, units: int, deadline: float) -> AsyncIterator[None]:
        try:
            taken = await budget.take(units, deadline)
        except TimeoutError as e:
            raise _NoPlace from e
        try:
            yield
        finally:
            budget.give(taken)


class _NoPlace(Exception):  # noqa: N818 - never leaves this file
    """A place did not come free in time."""


class Laned:
    """A module source whose every question waits for its place in a lane."""

    def __init__(self, source: ModuleSource, host: str, *, lists: Lane, files: Lane) -> None:
        self._source = source
        self._host = host
        self._lists = lists
        self._files = files

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """See ModuleSource."""
        async with self._lists.flight(self._host):
            return await self._source.versions(path)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """See ModuleSource."""
        async with self._lists.flight(self._host):
            return await self._source.latest(path)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """See ModuleSource."""
        lane = self._files if isinstance(query, Version) else self._lists
        async with lane.flight(self._host):
            return await self._source.info(path, query, hint)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        async with self._files.flight(self._host):
            return await self._source.mod(path, version, hint)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource. A zip whose size is not known counts as one byte: it still has its place among the flights."""
        async with (
            self._files.flight(self._host),
            self._source.zip(path, version, hint) as content,
            self._files.bytes(content.size_bytes or 1),
        ):
            yield content
