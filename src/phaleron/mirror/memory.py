"""What is remembered for a short while, in a bounded number: absences, failures, answers that were just given.

Times are of a monotonic clock. The oldest entry goes first where there are too many.
"""

import time
from collections.abc import Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

from phaleron.errors import Busy, Gone, NotFound, PhaleronError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ShortMemory(Generic[K, V]):
    """A bounded map whose entries end by themselves.

    Arguments: `keep_s` is an entry's life in seconds (0: nothing is kept), `most` the number of entries.
    """

    def __init__(self, keep_s: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._most = most
        self._clock = clock
        self._entries: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Give what is remembered, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            del self._entries[key]
            return None
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Remember, in place of what was remembered before."""
        if self._keep_s <= 0:
            return
        self._entries.pop(key, None)
        if len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock() + self._keep_s, value)

    def drop(self, key: K) -> None:
        """Forget, if it is there."""
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)


class Troubles(Generic[K]):
    """Absences and failures that need not be asked for again so soon.

    Arguments: how long an absence and a failure are remembered, in seconds, and how many of each.
    """

    def __init__(self, *, absent_s: float, failed_s: float, entries: int) -> None:
        self._absent = ShortMemory[K, NotFound | Gone](absent_s, entries)
        self._failed = ShortMemory[K, PhaleronError](failed_s, entries)

    def recall(self, key: K) -> None:
        """Raise what is remembered of `key`, if anything is."""
        error = self._absent.get(key) or self._failed.get(key)
        if error is not None:
            raise copy(error)

    def note(self, key: K, error: PhaleronError) -> None:
        """Remember how a fetch ended. Our own bounds are no fault of what was asked for, and are not remembered."""
        error = copy(error)  # without the traceback, which would keep alive all that the fetch had in its hands
        if isinstance(error, NotFound | Gone):
            self._absent.put(key, error)
        elif not isinstance(error, Busy):
            self._failed.put(key, error)

    def clear(self, key: K) -> None:
        """Forget what is remembered of `key`: it has been seen, or named by what was seen."""
        self._absent.drop(key)
        self._failed.drop(key)

    @property
    def absences(self) -> int:
        """How many absences are remembered, ended ones included."""
        return len(self._absent)
