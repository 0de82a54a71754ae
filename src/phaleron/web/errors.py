"""The one table that turns what can go wrong into HTTP."""

from dataclasses import dataclass
from http import HTTPStatus

from phaleron.errors import (
    BadRequest,
    Busy,
    Forbidden,
    Gone,
    NotFound,
    OriginFailed,
    OriginTimeout,
    PhaleronError,
    Unauthorized,
    Untrusted,
)
from phaleron.web.reply import NO_STORE, Headers, Reply
from phaleron.web.target import MalformedError, UndecodableError

_SOON = b"public, max-age=60"
_NEVER = b"public, max-age=86400"
_MOST_TEXT = 600
"""Characters of an error's text: a go command shows no more."""


@dataclass(frozen=True, slots=True)
class Row:
    """How an error is answered."""

    status: HTTPStatus
    cache_control: bytes
    extra: Headers = ()


TABLE: dict[type[Exception], Row] = {
    NotFound: Row(HTTPStatus.NOT_FOUND, _SOON),
    MalformedError: Row(HTTPStatus.NOT_FOUND, _NEVER),
    Gone: Row(HTTPStatus.GONE, b"public, max-age=600"),
    Unauthorized: Row(HTTPStatus.UNAUTHORIZED, NO_STORE, ((b"www-authenticate", b'Basic realm="phaleron"'),)),
    Forbidden: Row(HTTPStatus.FORBIDDEN, NO_STORE),
    Untrusted: Row(HTTPStatus.FORBIDDEN, NO_STORE),
    OriginFailed: Row(HTTPStatus.BAD_GATEWAY, NO_STORE),
    OriginTimeout: Row(HTTPStatus.GATEWAY_TIMEOUT, NO_STORE),
    Busy: Row(HTTPStatus.SERVICE_UNAVAILABLE, NO_STORE),
    BadRequest: Row(HTTPStatus.BAD_REQUEST, NO_STORE),
    UndecodableError: Row(HTTPStatus.BAD_REQUEST, NO_STORE),
}

Answerable = (PhaleronError, MalformedError, UndecodableError)


def error_reply(error: Exception, request_id: str) -> Reply:
    """Answer an error: one line of text, for a person at a go command's terminal."""
    row = TABLE[type(error)]
    text = "".join(c if c.isprintable() else " " for c in str(error)[:_MOST_TEXT])
    line = f"{row.status.phrase.lower()}: {text}"
    if row.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        line += f" (request {request_id})"
    headers = [*row.extra, (b"x-request-id", request_id.encode())]
    if isinstance(error, Busy):
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    return text_reply(line, row.status, row.cache_control, headers)


def text_reply(line: str, status: int, cache_control: bytes, extra: Headers = ()) -> Reply:
    """Answer with a line of text."""
    return Reply(
        status=status,
        body=f"{line}\n".encode(),
        content_type=b"text/plain; charset=utf-8",
        cache_control=cache_control,
        extra=extra,
    )
