"""Which origin is asked, and in which order: GOPROXY's list and the patterns of private modules.

Questions go in, the first good answer comes out. The rules, all of them:
- the entries are asked in order; after `,` the next one only where this one has nothing, after `|` wherever it fails;
- where none answers and one failed, the first such failure is the answer, whatever else said that it has nothing: an outage
  is never an absence;
- a module whose path is private is asked of nobody. It counts as absent, as does what is left for `direct`, as long as this
  server cannot read repositories: clients with `…,direct` go there themselves, and may probe prefixes;
- `off` ends the list with an absence, too: it speaks for this server, and not for what its clients try next;
- the origin that gave a version's other files (`hint`) is asked first. That changes the order of asking and never who may be
  asked: where it does not answer, its entry keeps its place and its outcome.
Source: the Go Modules Reference, "GOPROXY protocol", and modfetch.TryProxies.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from phaleron.errors import Gone, NotFound, PhaleronError
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pattern import PatternList
from phaleron.gomod.version import Query, Version
from phaleron.sources.goproxy import Entry
from phaleron.sources.source import Answer, Content, ModuleSource

T = TypeVar("T")

_NOBODY = {
    "direct": "its repository would be next (direct), and this server cannot read repositories yet",
    "off": "module lookup disabled by GOPROXY=off on this server",
}


class Routed:
    """A module source over a GOPROXY list.

    `entries` come from `parse_goproxy`; `private` are the patterns of GONOPROXY, which GOPRIVATE is the default for; `make` makes
    the source for each entry that is a URL.
    """

    def __init__(self, entries: Sequence[Entry], private: PatternList, make: Callable[[Entry], ModuleSource]) -> None:
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
        return await self._first(path, f"{path}@{query}", lambda source: source.info(path, query, hint), hint)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """See ModuleSource."""
        return await self._first(path, f"{path}@{version}", lambda source: source.mod(path, version, hint), hint)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        """See ModuleSource. The next entry is asked only as long as nothing of the zip has come."""
        async with AsyncExitStack() as stack:
            yield await self._first(
                path,
                f"{path}@{version}",
                lambda source: stack.enter_async_context(source.zip(path, version, hint)),
                hint,
            )

    async def _first(
        self, path: ModulePath, what: str, ask: Callable[[ModuleSource], Awaitable[T]], hint: str = ""
    ) -> T:
        if self._private.matches(path):
            raise NotFound(
                f"{what}: is private here (GOPRIVATE, GONOPROXY), and this server cannot read repositories yet"
            )
        asked: dict[int, PhaleronError] = {}
        for at, (entry, source) in enumerate(self._entries):
            if source is not None and hint and entry.origin == hint:
                try:
                    return await ask(source)
                except PhaleronError as e:
                    asked[at] = e
                break
        absence: PhaleronError | None = None
        failure: PhaleronError | None = None
        for at, (entry, source) in enumerate(self._entries):
            if source is None:
                absence = NotFound(f"{absence or what}{'; ' if absence else ': '}{_NOBODY[entry.url]}")
                break
            error = asked.get(at)
            if error is None:
                try:
                    return await ask(source)
                except PhaleronError as e:
                    error = e
            if isinstance(error, (NotFound, Gone)):
                absence = absence or error
                continue
            failure = failure or error
            if entry.separator != "|":
                break
        raise failure or absence or NotFound(f"{what}: this server has nobody to ask")
