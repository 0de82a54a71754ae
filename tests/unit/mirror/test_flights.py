"""Single flight: one fetch for all who want the same, and it belongs to none of them."""

import asyncio

import pytest

from phaleron.errors import OriginFailed
from phaleron.mirror.flights import Flight, Flights


class Fetch:
    """A fetch that ends when it is told to."""

    def __init__(self) -> None:
        self.started = 0
        self.called_off = 0
        self.end = asyncio.Event()
        self.flight: Flight[str] | None = None

    async def __call__(self, flight: Flight[str]) -> str:
        self.started += 1
        self.flight = flight
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.called_off += 1
            raise
        return "result"


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_all_who_want_the_same_share_one_fetch() -> None:
    flights, fetch = Flights[str](), Fetch()
    waiting = [asyncio.create_task(flights.result("key", fetch)) for _ in range(100)]
    await turn()
    fetch.end.set()
    assert await asyncio.gather(*waiting) == ["result"] * 100
    assert fetch.started == 1


async def test_one_who_hangs_up_stops_nothing_for_the_others() -> None:
    flights, fetch = Flights[str](), Fetch()
    first = asyncio.create_task(flights.result("key", fetch))
    second = asyncio.create_task(flights.result("key", fetch))
    await turn()
    first.cancel()
    await turn()
    fetch.end.set()
    assert await second == "result"


@pytest.mark.parametrize(("have_bytes", "called_off"), [(0, 1), (1, 0)])
async def test_what_nobody_waits_for_ends_at_once_unless_bytes_have_come(have_bytes: int, called_off: int) -> None:
    flights, fetch = Flights[str](), Fetch()
    only = asyncio.create_task(flights.result("key", fetch))
    await turn()
    assert fetch.flight is not None
    fetch.flight.have_bytes = have_bytes
    only.cancel()
    await turn()
    assert fetch.called_off == called_off
    await flights.close()


async def test_a_newcomer_starts_anew_where_the_old_flight_is_being_called_off() -> None:
    flights, fetch = Flights[str](), Fetch()
    only = asyncio.create_task(flights.result("key", fetch))
    await turn()
    only.cancel()
    await asyncio.sleep(0)
    newcomer = asyncio.create_task(flights.result("key", fetch))
    await turn()
    fetch.end.set()
    assert await newcomer == "result"
    assert fetch.started == 2


async def test_a_flight_started_behind_is_not_called_off_by_one_who_looks_in() -> None:
    flights, fetch = Flights[str](), Fetch()
    flights.start_behind("key", fetch)
    flights.start_behind("key", fetch)
    await turn()
    looking = asyncio.create_task(flights.result("key", fetch))
    await turn()
    looking.cancel()
    await turn()
    assert (fetch.started, fetch.called_off) == (1, 0)
    await flights.close()
    assert fetch.called_off == 1


async def test_a_failure_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    flights = Flights[str]()
    tries = 0

    async def fails(flight: Flight[str]) -> str:
        nonlocal tries
        tries += 1
        raise OriginFailed("broken")

    answers = await asyncio.gather(*(flights.result("key", fails) for _ in range(3)), return_exceptions=True)
    assert [type(a) for a in answers] == [OriginFailed] * 3
    assert tries == 1
    with pytest.raises(OriginFailed):
        await flights.result("key", fails)
    assert tries == 2
