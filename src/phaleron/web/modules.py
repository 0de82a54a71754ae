"""The GOPROXY routes: asks the source what a target names, and makes the reply.

Immutable files may be cached for ever, lists and answers shortly, and what is older than that says its age.
"""

import math
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Protocol

from phaleron.gomod.version import Version
from phaleron.sources.source import Answer, ModuleSource
from phaleron.web.options import WebOptions
from phaleron.web.reply import IMMUTABLE, SHORT, Body, Part, Reply, Stored, etag_of
from phaleron.web.target import ModuleTarget, SumdbTarget

_TEXT = b"text/plain; charset=utf-8"
_JSON = b"application/json"
_ZIP = b"application/zip"


class SumdbAnswer(Protocol):
    """What a checksum database says; see mirror.sumdb."""

    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...
    @property
    def max_age_s(self) -> int: ...
    @property
    def immutable(self) -> bool: ...


class Sumdb(Protocol):
    """The checksum databases that are handed on."""

    async def answer(self, rest: str, fetch: bool = True) -> SumdbAnswer:
        """Answer `<name>/<what is asked>`. Raises the closed set of errors."""


class Modules:
    """Answers for modules and checksum databases. `kept` answers from the store alone."""

    def __init__(self, source: ModuleSource, kept: ModuleSource, sumdb: Sumdb, options: WebOptions) -> None:
        self._source = source
        self._kept = kept
        self._sumdb = sumdb
        # Another worker may store what a list gains, so the lane repeats it for a while only.
        self._options = options

    async def reply(self, target: ModuleTarget, stack: AsyncExitStack, *, cached_only: bool) -> Reply:
        """Make the reply; what it holds open is closed with `stack`."""
        source = self._kept if cached_only or target.cached_only else self._source
        lasting = not (cached_only or target.cached_only)
        path, query = target.path, target.query
        if target.kind == "list":
            return self._changing(await source.versions(path), _TEXT, lasting)
        if target.kind == "latest":
            return self._changing(answer := await source.latest(path), _JSON, lasting, answer.value.time)
        if query is None:
            raise AssertionError(target)
        if target.kind == "info":
            answer = await source.info(path, query)
            modified = answer.value.time
            if not isinstance(query, Version):
                return self._changing(answer, _JSON, lasting, modified)
            etag = etag_of(answer.body)
            return Reply(answer.body, _JSON, IMMUTABLE, etag=etag, modified=modified, lane_s=math.inf if lasting else 0)
        if not isinstance(query, Version):
            raise AssertionError(target)
        if target.kind == "mod":
            body = (await source.mod(path, query)).body
            return Reply(body, _TEXT, IMMUTABLE, etag=etag_of(body), lane_s=math.inf if lasting else 0)
        content = await stack.enter_async_context(source.zip(path, query))
        if isinstance(content, Stored):
            whole: Body = Part(content, 0, content.size_bytes)
            return Reply(whole, _ZIP, IMMUTABLE, etag=content.etag, lane_s=math.inf if lasting else 0)
        return Reply(content, _ZIP, IMMUTABLE)

    async def sumdb_reply(self, target: SumdbTarget, *, cached_only: bool) -> Reply:
        """Answer for a checksum database."""
        answer = await self._sumdb.answer(target.rest, fetch=not (cached_only or target.cached_only))
        control = IMMUTABLE if answer.immutable else f"public, max-age={answer.max_age_s}".encode()
        return Reply(answer.body, answer.content_type.encode(), control, etag=etag_of(answer.body))

    def _changing(
        self, answer: Answer[object], content_type: bytes, lasting: bool, modified: datetime | None = None
    ) -> Reply:
        age = ((b"age", str(int(answer.age_s)).encode()),) if answer.stale else ()
        lane_s = min(self._options.lists_in_lane_s, self._options.fresh_s - answer.age_s)
        return Reply(
            answer.body,
            content_type,
            SHORT,
            etag=etag_of(answer.body),
            modified=modified,
            extra=age,
            lane_s=max(0.0, lane_s) if lasting and not answer.stale else 0,
        )
