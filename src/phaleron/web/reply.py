"""Replies: the one place where headers are made, and where conditions and ranges are applied.

Source: RFC 9110 (validators, conditions, ranges) and RFC 9111 (caching).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from phaleron.sources.source import Content

Header = tuple[bytes, bytes]
Headers = Sequence[Header]

NO_STORE = b"no-store"
IMMUTABLE = b"public, max-age=31536000, immutable"
SHORT = b"public, max-age=60, stale-while-revalidate=3600, stale-if-error=86400"

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.IGNORECASE).fullmatch
_TAG = re.compile(rb'(?:W/)?"[^"]*"')


@runtime_checkable
class Stored(Protocol):
    """Content at rest in a local file: `fd` is shared, and read by position only."""

    fd: int

    @property
    def size_bytes(self) -> int:
        """The whole length."""

    @property
    def etag(self) -> bytes:
        """A strong ETag, with its quotes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what is stored."""

    stored: Stored
    offset: int
    length: int


Body = bytes | Part | Content


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, before it is written."""

    body: Body
    content_type: bytes
    cache_control: bytes
    status: int = 200
    etag: bytes = b""
    """Strong, with its quotes; `b""` for none."""
    modified: datetime | None = None
    extra: Headers = ()
    lane_s: float = 0
    """How long it may be repeated by the fast lane, in seconds."""
    length: int | None = field(default=None)

    @property
    def size_bytes(self) -> int | None:
        """The length of the body; None where it is not known."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return self.body.length if isinstance(self.body, Part) else self.body.size_bytes

    @property
    def streamed(self) -> bool:
        """Whether the body is still on its way."""
        return not isinstance(self.body, bytes | Part)

    def headers(self) -> list[Header]:
        """Make the headers, in the order in which they are sent."""
        headers: list[Header] = []
        if self.content_type:
            headers.append((b"content-type", self.content_type))
        size = self.size_bytes if self.length is None else self.length
        if size is not None and self.status != HTTPStatus.NOT_MODIFIED:
            headers.append((b"content-length", str(size).encode()))
        headers.append((b"cache-control", self.cache_control))
        if self.etag:
            headers.append((b"etag", self.etag))
        if self.modified is not None:
            headers.append((b"last-modified", format_datetime(self.modified, usegmt=True).encode()))
        if self.status == HTTPStatus.OK and self.etag and not self.streamed:
            headers.append((b"accept-ranges", b"bytes"))
        headers.append((b"x-content-type-options", b"nosniff"))
        headers.extend(self.extra)
        return headers


def etag_of(body: bytes) -> bytes:
    """Make the strong ETag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()}"'.encode()


def conditioned(reply: Reply, request: dict[bytes, bytes], *, head: bool) -> Reply:
    """Apply a request's conditions and range to a reply of 200."""
    if reply.status != HTTPStatus.OK:
        return reply
    if _failed_precondition(reply, request):
        return replace(
            reply, status=HTTPStatus.PRECONDITION_FAILED, body=b"", content_type=b"", cache_control=NO_STORE, lane_s=0
        )
    if _not_modified(reply, request):
        return replace(reply, status=HTTPStatus.NOT_MODIFIED, body=b"", content_type=b"", lane_s=0)
    asked = request.get(b"range")
    if asked is None or head or not reply.etag or reply.streamed:
        return reply
    condition = request.get(b"if-range")
    if condition is not None and condition != reply.etag and not _is_date(condition, reply.modified):
        return reply
    return _ranged(reply, asked.decode("latin-1"))


def _failed_precondition(reply: Reply, request: dict[bytes, bytes]) -> bool:
    asked = request.get(b"if-match")
    return asked is not None and asked.strip() != b"*" and reply.etag not in _TAG.findall(asked)


def _not_modified(reply: Reply, request: dict[bytes, bytes]) -> bool:
    asked = request.get(b"if-none-match")
    if asked is not None:
        tags = {tag.removeprefix(b"W/") for tag in _TAG.findall(asked)}
        return bool(reply.etag) and (asked.strip() == b"*" or reply.etag in tags)
    since = request.get(b"if-modified-since")
    if since is None or reply.modified is None:
        return False
    try:
        return reply.modified.replace(microsecond=0) <= parsedate_to_datetime(since.decode("latin-1"))
    except (ValueError, TypeError):
        return False


def _is_date(condition: bytes, modified: datetime | None) -> bool:
    return modified is not None and condition == format_datetime(modified, usegmt=True).encode()


def _ranged(reply: Reply, asked: str) -> Reply:
    """Cut out a range; several ranges, and what is no range of bytes, get the whole."""
    m = _RANGE(asked.replace(" ", ""))
    size = reply.size_bytes
    body = reply.body
    if m is None or size is None or not isinstance(body, bytes | Part):
        return reply
    if m[3] is not None:
        first, last = max(0, size - int(m[3])), size - 1
        satisfiable = int(m[3]) > 0 and size > 0
    else:
        first, last = int(m[1]), min(int(m[2]) if m[2] else size - 1, size - 1)
        if m[2] and int(m[2]) < int(m[1]):
            return reply
        satisfiable = first < size
    if not satisfiable:
        return replace(
            reply,
            status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            body=b"",
            content_type=b"",
            cache_control=NO_STORE,
            extra=(*reply.extra, (b"content-range", f"bytes */{size}".encode())),
            lane_s=0,
        )
    length = last - first + 1
    part = body[first : last + 1] if isinstance(body, bytes) else Part(body.stored, body.offset + first, length)
    return replace(
        reply,
        status=HTTPStatus.PARTIAL_CONTENT,
        body=part,
        extra=(*reply.extra, (b"content-range", f"bytes {first}-{last}/{size}".encode())),
        lane_s=0,
    )
