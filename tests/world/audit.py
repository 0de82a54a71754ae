"""What Python is about to ask of the system, told to a test beforehand: so a test can step in at that very instant."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_watchers: list[Callable[[str, tuple[object, ...]], None]] = []
_installed = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    for watcher in _watchers:
        watcher(event, arguments)


@contextmanager
def watched(watcher: Callable[[str, tuple[object, ...]], None]) -> Iterator[None]:
    """Call `watcher` with each audit event (its name and arguments), in whatever thread it happens."""
    global _installed
    if not _installed:
        sys.addaudithook(_hook)  # there is no way to take one away
        _installed = True
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
