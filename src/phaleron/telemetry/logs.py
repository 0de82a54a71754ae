"""Structured logs: everything that this process logs, its libraries' lines included, leaves through one pipe on stderr.

JSON, one object a line, where stderr is no terminal; readable text where it is one. A line carries the request id that is
bound in the current context (`bind_request`). URLs lose their credentials as the last step, tracebacks included, so that no
caller has to think of it.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

import structlog

from phaleron.telemetry.secrets import mask

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "text"]

# Libraries that log on their own account, and the least level at which an operator wants to hear of them: aiohttp's and
# asyncio's debug lines are about their own works. uvicorn's access lines are ours to write or not.
_LIBRARIES = {
    "asyncio": logging.INFO,
    "aiohttp": logging.INFO,
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "uvicorn.access": logging.WARNING,
    "uvicorn.asgi": logging.INFO,
    "py.warnings": logging.WARNING,
}

_Event = MutableMapping[str, Any]  # structlog's own type of an event


def configure(level: Level = "info", form: Format = "auto", stream: TextIO | None = None) -> None:
    """Set logging up for this process; called again it replaces what was set up before.

    Libraries that configure logging themselves must be told not to (uvicorn: `log_config=None`).
    """
    out = sys.stderr if stream is None else stream
    as_json = form == "json" or (form == "auto" and not out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_json() if as_json else _text(out)),
                _without_credentials,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(least, root.level))
    logging.captureWarnings(True)


def _json() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _first_things_first,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _text(out: TextIO) -> list[structlog.typing.Processor]:
    plain = structlog.dev.plain_traceback
    return [
        _one_line,
        structlog.dev.ConsoleRenderer(
            timestamp_key="time", colors=out.isatty(), exception_formatter=plain, pad_event_to=0
        ),
    ]


def _first_things_first(logger: object, method: str, event: _Event) -> _Event:
    """Begin with what every line has: people read these lines, too."""
    return {**{key: event[key] for key in ("time", "level", "message") if key in event}, **event}


def _one_line(logger: object, method: str, event: _Event) -> _Event:
    """Escape what could break a line or steer a terminal; values are quoted by the renderer."""
    event["event"] = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(event["event"]))
    return event


def _without_credentials(logger: object, method: str, line: str | bytes | _Event) -> str:
    return mask(str(line))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give a logger; `name` is the module's."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


@contextmanager
def bind_request(request_id: str) -> Iterator[None]:
    """Have every line that is logged within carry `request_id`."""
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield
