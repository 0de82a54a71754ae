"""The checksum database as a proxy hands it on: asked once, kept, and answered from what is kept.

Each request goes to the first upstream proxy that supports the database, else to the database itself. Tiles and records
never change, so they are kept for ever, and a client behind this proxy can verify while everything upstream is down; the
signed tree head that came with a record is an old one then, which clients prove consistent. Nothing is verified here: the
go command does that. Paths that GONOSUMDB names are never asked for.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from phaleron.errors import BadRequest, Forbidden, NotFound, OriginFailed, PhaleronError
from phaleron.gomod.errors import RuleError
from phaleron.gomod.pattern import PatternList
from phaleron.mirror.flights import Flights
from phaleron.mirror.memory import ShortMemory, Troubles
from phaleron.net.client import Client
from phaleron.store.shelf import Shelf
from phaleron.sumdb.database import Database
from phaleron.sumdb.request import Latest, Lookup, Tile, parse_request

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_LOOKUP_LIMIT = 1 << 20
_TILE_LIMIT = 16 << 20  # a whole tile of records is some hundred KiB
_LATEST_FRESH_S = 30
_SUPPORT_KEPT_S = 600


@dataclass(frozen=True, slots=True)
class SumdbAnswer:
    """An answer to be served: how long others may keep it is in seconds, `immutable` is for ever."""

    body: bytes
    content_type: str
    max_age_s: int
    immutable: bool


@dataclass(frozen=True, slots=True)
class SumdbOptions:
    """What is remembered of what the database does not have, and of failures: seconds, and how many."""

    absent_s: float = 30
    failed_s: float = 2
    entries: int = 100_000


class SumdbRelay:
    """Hands on the databases of GOSUMDB.

    `upstreams` are base URLs of GOPROXY servers, asked in this order whether they support a database; `private` are the
    patterns of GONOSUMDB; `shelf` keeps tiles and records.
    """

    def __init__(
        self,
        databases: Sequence[Database],
        upstreams: Sequence[str],
        *,
        client: Client,
        private: PatternList,
        shelf: Shelf,
        options: SumdbOptions | None = None,
    ) -> None:
        options = options or SumdbOptions()
        self._databases = tuple(databases)
        self._upstreams = tuple(u.rstrip("/") for u in upstreams)
        self._client = client
        self._private = private
        self._shelf = shelf
        self._flights = Flights[bytes]()
        self._support = ShortMemory[tuple[str, str], bool](_SUPPORT_KEPT_S, 1000)
        self._troubles = Troubles[str](absent_s=options.absent_s, failed_s=options.failed_s, entries=options.entries)
        self._latest: dict[str, tuple[float, bytes]] = {}

    async def answer(self, rest: str, fetch: bool = True) -> SumdbAnswer:
        """Answer `<name>/<what is asked>`, as it stands below `/sumdb/`; with `fetch` off, from what is kept alone.

        Raises NotFound for a database that is not configured here and for what it does not have, BadRequest for what
        no database can be asked, Forbidden for a private path, and what the origin's failure is.
        """
        for database in self._databases:
            if rest.startswith(f"{database.name}/"):
                return await self._answer(database, rest.removeprefix(f"{database.name}/"), fetch)
        raise NotFound(f"checksum database {rest.partition('/')[0]} is not served here")

    async def _answer(self, database: Database, rest: str, fetch: bool) -> SumdbAnswer:
        name = database.name
        if rest == "supported":
            return SumdbAnswer(b"", _TEXT, 3600, False)
        try:
            request = parse_request(rest)
        except RuleError as e:
            raise BadRequest(f"checksum database {name}: {e}") from e
        match request:
            case Latest():
                return SumdbAnswer(await self._head(database, fetch), _TEXT, _LATEST_FRESH_S, False)
            case Lookup():
                if self._private.matches(request.path):
                    raise Forbidden(
                        f"{request.path} is private here (GONOSUMDB); set GONOSUMDB or GOPRIVATE at the client, too"
                    )
                body = await self._kept_or_fetched(database, rest, _LOOKUP_LIMIT, fetch)
                return SumdbAnswer(body, _TEXT, 300, False)
            case Tile():
                return SumdbAnswer(await self._tile(database, rest, request, fetch), _BYTES, 31536000, True)

    async def _head(self, database: Database, fetch: bool) -> bytes:
        kept = self._latest.get(database.name)
        if kept is not None and time.monotonic() - kept[0] < _LATEST_FRESH_S:
            return kept[1]
        if not fetch:
            raise NotFound(f"checksum database {database.name}: no fresh tree head is kept here")
        key = f"{database.name}/latest"
        self._troubles.recall(key)
        try:
            body = await self._flights.result(key, lambda flight: self._fetch(database, "latest", _LOOKUP_LIMIT))
        except (NotFound, BadRequest):
            raise
        except PhaleronError:
            if kept is None:
                raise
            return kept[1]
        self._latest[database.name] = (time.monotonic(), body)
        return body

    async def _tile(self, database: Database, rest: str, tile: Tile, fetch: bool) -> bytes:
        """Give a tile; a part of one may be cut from any that is wider."""
        size = tile.width * tile.entry_bytes
        if size:
            wider = self._shelf.get(database.name, tile.full) or self._shelf.widest(
                database.name, tile.full + ".p", tile.width
            )
            if wider is not None:
                return wider[:size]
        return await self._kept_or_fetched(database, rest, _TILE_LIMIT, fetch)

    async def _kept_or_fetched(self, database: Database, rest: str, limit: int, fetch: bool) -> bytes:
        kept = self._shelf.get(database.name, rest)
        if kept is not None:
            return kept
        if not fetch:
            raise NotFound(f"checksum database {database.name}: {rest} is not kept here")
        key = f"{database.name}/{rest}"
        self._troubles.recall(key)
        return await self._flights.result(key, lambda flight: self._fetch_and_keep(database, rest, limit))

    async def _fetch_and_keep(self, database: Database, rest: str, limit: int) -> bytes:
        body = await self._fetch(database, rest, limit)
        await self._shelf.put(database.name, rest, body)
        return body

    async def _fetch(self, database: Database, rest: str, limit: int) -> bytes:
        key = f"{database.name}/{rest}"
        try:
            body = await self._ask(database, rest, limit)
        except PhaleronError as e:
            self._troubles.note(key, e)
            raise
        self._troubles.clear(key)
        return body

    async def _ask(self, database: Database, rest: str, limit: int) -> bytes:
        for upstream in self._upstreams:
            base = f"{upstream}/sumdb/{database.name}"
            if await self._supports(upstream, base, database.name):
                return await self._read(f"{base}/{rest}", database.name, rest, limit)
        return await self._read(f"{database.url}/{rest}", database.name, rest, limit)

    async def _supports(self, upstream: str, base: str, name: str) -> bool:
        known = self._support.get((upstream, name))
        if known is None:
            async with self._client.get(f"{base}/supported") as response:
                known = response.status == HTTPStatus.OK
                if not known and response.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                    raise OriginFailed(
                        f"checksum database {name}: the upstream proxy answered {response.status} to /supported"
                    )
            self._support.put((upstream, name), known)
        return known

    async def _read(self, url: str, name: str, rest: str, limit: int) -> bytes:
        async with self._client.get(url) as response:
            body = await response.read(limit)
            match response.status:
                case HTTPStatus.OK:
                    return body
                case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                    raise NotFound(_said(name, rest, body))
                case HTTPStatus.BAD_REQUEST:
                    raise BadRequest(_said(name, rest, body))
            raise OriginFailed(f"checksum database {name}: {rest}: answered {response.status}")

    async def close(self) -> None:
        """Call off what is under way."""
        await self._flights.close()


def _said(name: str, rest: str, body: bytes) -> str:
    """Put the database's own reason behind what was asked, in one bounded line."""
    reason = " ".join(body[:500].decode(errors="replace").split())
    return f"checksum database {name}: {rest}: {reason or 'no such record'}"
