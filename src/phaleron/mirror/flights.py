"""Single flight within a process: whoever wants what is being fetched already waits for it.

A flight belongs to nobody who waits: a client that hangs up never stops one that others wait for. One that nobody waits
for any more ends at once if no bytes of it have come, else it finishes, since most of the work is done. Across processes
the store's locks do the same.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One fetch under way. The fetcher tells its progress here; those who wait may look on."""

    def __init__(self) -> None:
        self.waiting = 0
        self.size_bytes: int | None = None
        """The whole length, once the origin has said it."""
        self.have_bytes = 0
        """How much has come."""
        self.fd = -1
        """Where it is being written, once bytes may be read from there; the fetcher's own descriptor."""
        self.task: asyncio.Task[T]
        self._moved = asyncio.Event()

    def move(self) -> None:
        """Tell those who look on that something has changed."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved(self) -> None:
        """Wait for the next change, the end of the flight included."""
        await self._moved.wait()


class Flights(Generic[T]):
    """The flights of one kind, by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight[T]] = {}
        self._tasks: set[asyncio.Task[T]] = set()

    @asynccontextmanager
    async def join(self, key: Hashable, fetch: Callable[[Flight[T]], Awaitable[T]]) -> AsyncIterator[Flight[T]]:
        """Be one of those who wait for the flight `key`; where there is none, `fetch` starts it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, fetch)
        flight.waiting += 1
        try:
            yield flight
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.have_bytes and not flight.task.done():
                # A newcomer must not join a flight that is being called off.
                if self._flights.get(key) is flight:
                    del self._flights[key]
                flight.task.cancel()

    async def result(self, key: Hashable, fetch: Callable[[Flight[T]], Awaitable[T]]) -> T:
        """Wait for the flight `key` to end and give its result, or raise its error."""
        async with self.join(key, fetch) as flight:
            return await asyncio.shield(flight.task)

    def start_behind(self, key: Hashable, fetch: Callable[[Flight[T]], Awaitable[T]]) -> None:
        """Start a flight that nobody waits for, unless it is under way. Its error is for those who join it, if any do."""
        if key not in self._flights:
            # The one who started it counts as waiting: those who look in and leave do not call it off.
            self._start(key, fetch).waiting += 1

    def _start(self, key: Hashable, fetch: Callable[[Flight[T]], Awaitable[T]]) -> Flight[T]:
        flight = Flight[T]()

        async def run() -> T:
            try:
                return await fetch(flight)
            finally:
                if self._flights.get(key) is flight:
                    del self._flights[key]

        flight.task = asyncio.create_task(run())
        self._flights[key] = flight
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda task: self._ended(flight, task))
        return flight

    def _ended(self, flight: Flight[T], task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        flight.move()
        if not task.cancelled():
            task.exception()  # whoever waits is told; where nobody does, the fetcher has remembered it

    async def close(self) -> None:
        """Call off what is under way, and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
