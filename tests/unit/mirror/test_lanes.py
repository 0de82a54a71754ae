"""Lanes: bounded by configuration, first come first served, and a slow host holds nothing that others need."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from phaleron.errors import Busy
from phaleron.mirror.lanes import Budget, Lane

SOON = 0.05


def lane(flights: int = 4, flights_per_host: int = 2, size_bytes: int = 100, deadline_s: float = SOON) -> Lane:
    return Lane(flights=flights, flights_per_host=flights_per_host, size_bytes=size_bytes, deadline_s=deadline_s)


async def test_a_host_past_its_bound_is_told_busy_and_others_go_on() -> None:
    a_lane = lane()
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(a_lane.flight("slow.example"))
        with pytest.raises(Busy, match=r"slow\.example"):
            await held.enter_async_context(a_lane.flight("slow.example"))
        for _ in range(2):
            await held.enter_async_context(a_lane.flight("other.example"))


async def test_those_who_wait_for_a_slow_host_hold_none_of_the_common_places() -> None:
    a_lane = lane(deadline_s=60)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(a_lane.flight("slow.example"))
        waiting = [asyncio.ensure_future(a_lane.flight("slow.example").__aenter__()) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(1), a_lane.flight("other.example"), a_lane.flight("other.example"):
            pass
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_place_that_is_given_back_goes_to_the_one_who_waited_longest() -> None:
    a_lane = lane(flights_per_host=1, deadline_s=60)
    order: list[int] = []

    async def fetch(number: int) -> None:
        async with a_lane.flight("h.example"):
            order.append(number)

    async with a_lane.flight("h.example"):
        tasks = [asyncio.create_task(fetch(n)) for n in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]


async def test_more_bytes_than_there_are_in_all_pass_alone() -> None:
    a_lane = lane()
    async with a_lane.bytes(1000):
        with pytest.raises(Busy, match="bytes"):
            async with a_lane.bytes(1):
                pass
    async with a_lane.bytes(1):
        pass


@pytest.mark.parametrize("units", [1, 3])
async def test_one_who_is_called_away_while_waiting_leaves_the_budget_whole(units: int) -> None:
    budget = Budget(3)
    loop = asyncio.get_running_loop()
    taken = await budget.take(3, loop.time() + 60)
    waiting = asyncio.create_task(budget.take(units, loop.time() + 60))
    await asyncio.sleep(0)
    budget.give(taken)
    waiting.cancel()  # its turn has come, but it has not run since
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert budget.idle


async def test_one_in_front_who_is_called_away_lets_those_behind_pass() -> None:
    budget = Budget(3)
    loop = asyncio.get_running_loop()
    taken = await budget.take(2, loop.time() + 60)
    big = asyncio.create_task(budget.take(3, loop.time() + 60))
    await asyncio.sleep(0)
    small = asyncio.create_task(budget.take(1, loop.time() + 60))
    await asyncio.sleep(0)
    assert not small.done()
    big.cancel()
    async with asyncio.timeout(1):
        budget.give(await small)
    budget.give(taken)
    assert budget.idle
