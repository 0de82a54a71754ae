"""The parts, plugged into each other as the settings say: store, client, sources, mirror, checksum databases, application.

Everything that is opened here is closed here, in reverse order. The one place that knows how each part is made.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of

from phaleron.cli.origins import upstreams
from phaleron.gomod.pattern import PatternList
from phaleron.mirror.kept import Kept
from phaleron.mirror.lanes import Lane, Laned
from phaleron.mirror.mirror import Mirror
from phaleron.mirror.options import MirrorOptions
from phaleron.mirror.sumdb import SumdbOptions, SumdbRelay
from phaleron.net.client import Client, ClientOptions
from phaleron.net.hops import Hops
from phaleron.settings import Loaded, Settings
from phaleron.sources.answers import Limits
from phaleron.sources.goproxy import Entry
from phaleron.sources.routed import Routed
from phaleron.sources.source import ModuleSource
from phaleron.sources.tree import Tree
from phaleron.sources.upstream import Upstream
from phaleron.store.shelf import Shelf
from phaleron.store.store import Store
from phaleron.sumdb.database import parse_gosumdb
from phaleron.web.app import App
from phaleron.web.options import WebOptions


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands work with."""

    store: Store
    mirror: Mirror
    kept: Kept
    sumdb: SumdbRelay


@asynccontextmanager
async def open_parts(
    loaded: Loaded, *, first_byte_s: float | None = None, hops: Hops | None = None
) -> AsyncIterator[Parts]:
    """Open everything that fetching and serving takes.

    `first_byte_s`, in seconds, overrules the setting; `hops` is this server's own place in a row of proxies, by which it knows
    itself when it meets itself. Raises CommandFailed where no upstream is configured, and what the store raises.
    """
    settings = loaded.settings
    entries = upstreams(loaded)
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.store.directory)
        stack.push_async_callback(store.close)
        client = await stack.enter_async_context(open_client(settings, hops or Hops()))
        mirror = Mirror(_routed(entries, settings, client), store, _mirror_options(settings, first_byte_s))
        stack.push_async_callback(mirror.close)
        sumdb = _sumdb(entries, settings, client, store.shelf)
        stack.push_async_callback(sumdb.close)
        yield Parts(store, mirror, Kept(store), sumdb)


@asynccontextmanager
async def open_client(settings: Settings, hops: Hops) -> AsyncIterator[Client]:
    """Open the HTTP client that everybody shares."""
    patience = settings.upstream
    options = ClientOptions(
        connect_s=patience.connect_s,
        headers_s=patience.headers_s,
        idle_s=patience.idle_s,
        retry_s=patience.retry_s,
        user_agent=f"phaleron/{version_of('phaleron')}",
    )
    async with Client(options, hops=hops) as client:
        yield client


def _routed(entries: Sequence[Entry], settings: Settings, client: Client) -> ModuleSource:
    bounds = settings.mirror
    lists, files = (
        Lane(
            flights=bounds.flights,
            flights_per_host=bounds.flights_per_host,
            size_bytes=bounds.flight_bytes,
            deadline_s=bounds.deadline_s,
        )
        for _ in range(2)
    )

    limits = Limits(
        list_bytes=settings.upstream.list_bytes,
        info_bytes=settings.upstream.info_bytes,
        mod_bytes=settings.upstream.mod_bytes,
        zip_bytes=settings.upstream.zip_bytes,
    )

    def make_source(entry: Entry) -> ModuleSource:
        is_tree = entry.url.startswith("file:")
        source = (
            Tree(entry.url, limits)
            if is_tree
            else Upstream(entry.url, client, limits, retry_s=0 if entry.spare else None)
        )
        return Laned(source, source.host, lists=lists, files=files)

    return Routed(entries, PatternList.parse(settings.go.noproxy_patterns), make_source)


def _mirror_options(settings: Settings, first_byte_s: float | None) -> MirrorOptions:
    mirror = settings.mirror
    return MirrorOptions(
        fresh_s=mirror.fresh_s,
        stale_s=mirror.stale_s,
        refresh_wait_s=mirror.refresh_wait_s,
        breaker_s=mirror.breaker_s,
        absent_s=mirror.absent_s,
        failed_s=mirror.failed_s,
        absent_entries=mirror.absent_entries,
        first_byte_s=settings.web.first_byte_s if first_byte_s is None else first_byte_s,
        complete=mirror.complete,
    )


def _sumdb(entries: Sequence[Entry], settings: Settings, client: Client, shelf: Shelf) -> SumdbRelay:
    database = parse_gosumdb(settings.go.sumdb)
    mirror = settings.mirror
    return SumdbRelay(
        [database] if database is not None else [],
        [entry.url for entry in entries if entry.url.startswith(("http://", "https://"))],
        client=client,
        private=PatternList.parse(settings.go.nosumdb_patterns),
        shelf=shelf,
        options=SumdbOptions(absent_s=mirror.absent_s, failed_s=mirror.failed_s, entries=mirror.absent_entries),
    )


@asynccontextmanager
async def serve_app(loaded: Loaded, hops: Hops) -> AsyncIterator[App]:
    """Open what a worker serves. Arguments as for `open_parts`; the function can be handed to another process."""
    async with open_parts(loaded, hops=hops) as parts:
        yield App(
            source=parts.mirror,
            kept=parts.kept,
            catalog=parts.store.catalog,
            sumdb=parts.sumdb,
            hops=hops,
            options=web_options(loaded.settings),
        )


def web_options(settings: Settings) -> WebOptions:
    """Give what is set about HTTP."""
    web = settings.web
    return WebOptions(
        path_prefix=web.path_prefix,
        fast_lane=web.fast_lane,
        lane_bytes=web.lane_bytes,
        fresh_s=settings.mirror.fresh_s,
    )
