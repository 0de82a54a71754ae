"""Short memory: bounded in time and number, and failures of our own are not remembered."""

import pytest

from phaleron.errors import Busy, NotFound, OriginFailed, PhaleronError
from phaleron.mirror.memory import ShortMemory, Troubles


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_entries_end_by_themselves() -> None:
    clock = Clock()
    memory = ShortMemory[str, int](30, 10, clock)
    memory.put("a", 1)
    clock.now = 29.9
    assert memory.get("a") == 1
    clock.now = 30
    assert memory.get("a") is None
    assert len(memory) == 0


def test_the_oldest_goes_first_where_there_are_too_many() -> None:
    memory = ShortMemory[str, int](30, 2)
    for n, key in enumerate("abac"):
        memory.put(key, n)
    assert [memory.get(k) for k in "abc"] == [2, None, 3]


def test_nothing_is_kept_for_no_time() -> None:
    memory = ShortMemory[str, int](0, 2)
    memory.put("a", 1)
    assert memory.get("a") is None


@pytest.mark.parametrize(
    ("error", "remembered"), [(NotFound("no"), True), (OriginFailed("down"), True), (Busy("full"), False)]
)
def test_what_is_remembered(error: PhaleronError, remembered: bool) -> None:
    troubles = Troubles[str](absent_s=30, failed_s=5, entries=10)
    troubles.note("key", error)
    if remembered:
        with pytest.raises(type(error), match=str(error)):
            troubles.recall("key")
        troubles.clear("key")
    troubles.recall("key")
