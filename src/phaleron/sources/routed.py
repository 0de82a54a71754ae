"""Which origin is asked, and in which order: GOPROXY's list and the patterns of private modules.

Private modules are never asked of any upstream, not even by name. As long as repositories cannot be read here, they and `direct`
count as absent: that lets a client with `…,direct` go there itself, and lets it probe prefixes. Where no entry has an answer
and one failed other than by having nothing, that failure is the answer: an outage is never an absence.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from phaleron.errors import Gone, NotFound, PhaleronError
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pattern import PatternList
from phaleron.gomod.version import Query, Version
from phaleron.sources.goproxy import Entry
from phaleron.sources.source import Answer, Content, ModuleSource

T = TypeVar("T")


class MakeSource(Protocol):
    """Makes the source for a URL of the list."""

    def __call__(self, entry: Entry, /) -> ModuleSource: ...


class Routed:
    """A module source over a GOPROXY list.

    `private` are the patterns of GONOPROXY; `make` makes the source for each URL.
    """

    def __init__(self, entries: Sequence[Entry], private: PatternList, make: MakeSource) -> None:
        self._entries = tuple((entry, make(entry) if entry.is_url else None) for entry in entries)
        self._private = private

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """See ModuleSource."""
        return await self._first(path, str(path), lambda source: source.versions(path))

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """See ModuleSource."""
        return await self._first(path, f"{path}@latest", lambda source: source.latest(path))

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """See ModuleSource."""
        return await self._first(path, f"{path}@{query}", lambda source: source.info(path, query), hint)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        return await self._first(path, f"{path}@{version}", lambda source: source.mod(path, version), hint)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource. The next entry is asked only as long as no byte has come."""
        async with AsyncExitStack() as stack:
            yield await self._first(
                path, f"{path}@{version}", lambda source: stack.enter_async_context(source.zip(path, version)), hint
            )

    async def _first(
        self, path: ModulePath, what: str, ask: Callable[[ModuleSource], Awaitable[T]], hint: str = ""
    ) -> T:
        """Give the first answer of the list; the entry that is the hint is asked before the others."""
        if self._private.matches(path):
            raise NotFound(f"{what}: is private here (GONOPROXY), and this server cannot read repositories yet")
        failure: PhaleronError | None = None
        absence: PhaleronError | None = None
        for entry, source in sorted(self._entries, key=lambda e: e[0].origin != hint) if hint else self._entries:
            if source is None:
                absence = absence or NotFound(f"{what}: {_NOBODY[entry.url]}")
                break
            try:
                return await ask(source)
            except (NotFound, Gone) as e:
                absence = absence or e
            except PhaleronError as e:
                failure = failure or e
                if entry.fallback != "any":
                    break
        if failure is not None:
            raise failure
        raise absence or NotFound(f"{what}: no origin is configured")


_NOBODY = {
    "direct": "would be read from its repository (direct), which this server cannot do yet",
    "off": "module lookup is switched off here (GOPROXY=off)",
}
