"""Progress on stderr: bars on a terminal, a line for each module elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Hears how a download goes."""

    def done(self, name: str) -> None:
        """A module is there."""

    def failed(self, name: str) -> None:
        """A module could not be had; why is told at the end."""

    def arriving(self, name: str, size_bytes: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """A zip arrives while the context is open; call what it gives with the number of bytes of each piece."""


@contextmanager
def progress_for(total: int) -> Iterator[Progress]:
    """Show the progress of `total` modules."""
    if not sys.stderr.isatty():
        yield _Lines(total)
        return
    from phaleron.cli.bars import Bars  # rich is for those who see it

    with Bars(total) as bars:
        yield bars


class _Lines:
    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def done(self, name: str) -> None:
        self._say("downloaded", name)

    def failed(self, name: str) -> None:
        self._say("failed", name)

    def _say(self, what: str, name: str) -> None:
        self._count += 1
        print(f"{self._count}/{self._total} {what} {name}", file=sys.stderr, flush=True)

    @contextmanager
    def arriving(self, name: str, size_bytes: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda size_bytes: None
