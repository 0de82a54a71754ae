"""The index feed and the catalog: what has become complete here, by time and by name."""

import json
import re
from datetime import UTC, datetime, timedelta

from phaleron.errors import BadRequest
from phaleron.store.records import Catalog, FeedEntry
from phaleron.web.reply import NO_STORE, Reply, etag_of

FEED_LIMIT = 2000
"""The default and the most of `limit`."""
NEXT_HEADER = b"phaleron-next-token"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII).fullmatch


def _whole(text: str, name: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise BadRequest(f"{name}={text!r} is no whole number above 0")
    return min(int(text), most)


def _since_us(text: str) -> int:
    """Read RFC 3339 to the microsecond, rounded up: `since` is inclusive."""
    m = _SINCE(text)
    try:
        if m is None:
            raise ValueError(text)
        seconds = int((datetime.fromisoformat(f"{m[1]}{m[3]}") - _EPOCH) / timedelta(seconds=1))
    except ValueError as e:
        raise BadRequest(f"since={text!r} is no time in RFC 3339") from e
    nanoseconds = int((m[2] or "0").ljust(9, "0"))
    return seconds * 1_000_000 + -(-nanoseconds // 1000)


def _line(entry: FeedEntry) -> str:
    at = _EPOCH + timedelta(microseconds=entry.at_us)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({"Path": entry.path, "Version": entry.version, "Timestamp": stamp}, separators=(",", ":"))


async def index_reply(catalog: Catalog, parameters: dict[str, str]) -> Reply:
    """Answer `/index?since=&limit=&token=`: a JSON object a line, oldest first.

    Timestamps rise strictly, so a reader goes on with `since` of the last line and drops that line, or with the token that
    the reply's header gives. A page that is full never changes. Raises BadRequest.
    """
    limit = _whole(parameters.get("limit") or str(FEED_LIMIT), "limit", FEED_LIMIT)
    since_us = _since_us(parameters["since"]) if parameters.get("since") else 0
    token = parameters.get("token", "")
    after = _whole(token, "token", 1 << 62) if token else 0
    entries = await catalog.feed(since_us=since_us, after=after, limit=limit)
    body = "".join(f"{_line(e)}\n" for e in entries).encode()
    control = b"public, max-age=3600" if len(entries) == limit else b"public, max-age=10"
    extra = ((NEXT_HEADER, str(entries[-1].sequence).encode()),) if entries else ()
    return Reply(body, b"application/x-ndjson", control, etag=etag_of(body), extra=extra)


async def catalog_reply(catalog: Catalog, parameters: dict[str, str], page_size: int) -> Reply:
    """Answer `/catalog?token=&pagesize=` in the shape that Athens has: modules with versions, and `next` where more follow.

    Pages go by the order of names, so that what is added meanwhile moves nothing. Raises BadRequest.
    """
    size = _whole(parameters.get("pagesize") or str(page_size), "pagesize", page_size * 10)
    path, separator, version = parameters.get("token", "").partition("|")
    if parameters.get("token") and not separator:
        raise BadRequest("token is none that a page of this catalog gave")
    found = await catalog.page((path, version), size + 1)
    page = found[:size]
    document: dict[str, object] = {"modules": [{"module": p, "version": v} for p, v in page]}
    if len(found) > size:
        document["next"] = f"{page[-1][0]}|{page[-1][1]}"
    return Reply(json.dumps(document, separators=(",", ":")).encode(), b"application/json", NO_STORE)
