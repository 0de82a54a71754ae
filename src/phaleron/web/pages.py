"""The routes that are not modules: health, version, feed, catalog, and a word for those who come with a browser."""

import json
import platform
from collections.abc import Awaitable, Callable
from importlib.metadata import version as version_of

from phaleron.errors import PhaleronError
from phaleron.store.records import Catalog
from phaleron.web.errors import text_reply
from phaleron.web.feed import catalog_reply, index_reply
from phaleron.web.reply import NO_STORE, Reply

Parameters = dict[str, str]
Page = Callable[[Parameters, str], Awaitable[Reply]]


def pages(catalog: Catalog, catalog_page: int) -> dict[str, Page]:
    """Make the table of routes: path below the prefix, and what answers its parameters, asked at a base URL."""

    async def live(_: Parameters, base_url: str) -> Reply:
        return text_reply("ok", 200, NO_STORE)

    async def ready(_: Parameters, base_url: str) -> Reply:
        try:
            await catalog.page(("", ""), 1)
        except PhaleronError as e:
            return text_reply(f"not ready: {e}", 503, NO_STORE)
        return text_reply("ready", 200, NO_STORE)

    async def version(_: Parameters, base_url: str) -> Reply:
        document = {"name": "phaleron", "version": version_of("phaleron"), "python": platform.python_version()}
        return Reply(json.dumps(document).encode() + b"\n", b"application/json", b"public, max-age=60")

    async def home(_: Parameters, base_url: str) -> Reply:
        text = (
            "Phaleron, a Go module proxy.\n\n"
            f"    go env -w GOPROXY={base_url}\n\n"
            "Routes: /<module>/@v/list, /@latest, /@v/<version>.{info,mod,zip}, /sumdb/, /cached-only/, /index, /catalog,\n"
            "/livez, /readyz, /healthz, /version."
        )
        return text_reply(text, 200, b"public, max-age=60")

    async def robots(_: Parameters, base_url: str) -> Reply:
        return text_reply("User-agent: *\nDisallow: /", 200, b"public, max-age=86400")

    async def index(parameters: Parameters, base_url: str) -> Reply:
        return await index_reply(catalog, parameters)

    async def listing(parameters: Parameters, base_url: str) -> Reply:
        return await catalog_reply(catalog, parameters, catalog_page)

    return {
        "/": home,
        "/livez": live,
        "/healthz": live,
        "/readyz": ready,
        "/version": version,
        "/robots.txt": robots,
        "/index": index,
        "/catalog": listing,
    }
