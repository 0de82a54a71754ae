"""`.info` files: a version, its commit time, and where it came from.

Read as the go command reads them, which is with Go's encoding/json and time, more lenient than either standard: `version` is
`Version`, a null says nothing, hours may have one digit. Source: the Go Modules Reference, "GOPROXY protocol"; cmd/go's
modfetch.RevInfo and codehost.Origin; the Go package time.
"""

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from phaleron.gomod.errors import InvalidVersionError, RuleError
from phaleron.gomod.gojson import is_object, read_object, unescape
from phaleron.gomod.gotext import decode
from phaleron.gomod.gotime import EARLIEST, LATEST, make_time
from phaleron.gomod.version import Version

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
).fullmatch


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from. Each field is `""` where the origin does not say."""

    vcs: str = ""
    url: str = ""
    subdir: str = ""
    hash: str = ""
    tag_prefix: str = ""
    tag_sum: str = ""
    ref: str = ""
    repo_sum: str = ""


_JSON_NAMES = {
    "vcs": "VCS",
    "url": "URL",
    "subdir": "Subdir",
    "hash": "Hash",
    "tag_prefix": "TagPrefix",
    "tag_sum": "TagSum",
    "ref": "Ref",
    "repo_sum": "RepoSum",
}
_ORIGIN_FIELDS = {json_name.lower(): name for name, json_name in _JSON_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Info:
    """What an `.info` file says. `time` is None where the file has none."""

    version: Version
    time: datetime | None = None
    origin: Origin | None = None


def _time(raw: object) -> datetime:
    """Read a time. One that Python cannot hold becomes the nearest that it can; Go has years before 1 and after 9999."""
    m = _TIME(raw) if isinstance(raw, str) else None
    if m is None:
        raise RuleError(f".info has a Time that is not RFC 3339: {raw!r}")
    year, month, day, hour, minute, second = (int(m[n]) for n in range(1, 7))
    at = make_time(year, month, day, hour, minute, second, int((m[7] or "")[:6].ljust(6, "0")))
    offset_hours, offset_minutes = int(m[9] or 0), int(m[10] or 0)
    if at is None or offset_hours > 24 or offset_minutes > 60:  # Go takes 24 hours and 60 minutes
        raise RuleError(f".info has a Time that is no date: {raw!r}")
    offset = timedelta(hours=offset_hours, minutes=offset_minutes)
    try:
        return at + offset if m[8] == "-" else at - offset
    except OverflowError:
        return LATEST if m[8] == "-" else EARLIEST


def _text(raw: object, name: str) -> str:
    if not isinstance(raw, str):
        raise RuleError(f".info has a {name} that is no string")
    return unescape(raw)


def _add_origin(found: dict[str, str], value: object) -> None:
    if not is_object(value):
        raise RuleError(".info has an Origin that is no object")
    for key, raw in value:
        name = _ORIGIN_FIELDS.get(key)
        if name is not None and raw is not None:
            found[name] = _text(raw, f"Origin.{_JSON_NAMES[name]}")


def parse_info(data: bytes) -> Info:
    """Read an `.info` file. Raises RuleError that names the field at fault; unknown fields are no fault."""
    text = ""
    time: datetime | None = None
    origin: dict[str, str] | None = None
    for key, value in read_object(data, ".info"):
        if key == "origin":
            if value is None:
                origin = None
            else:
                origin = {} if origin is None else origin
                _add_origin(origin, value)
        elif value is None:
            continue  # a null leaves what an earlier member of that name said
        elif key == "version":
            text = _text(value, "Version")
        elif key == "time":
            time = _time(value)
    if not text:
        raise RuleError(".info has no Version")
    try:
        version = Version(text)
    except InvalidVersionError as e:
        raise RuleError(f".info has a Version that is not canonical: {text!r}") from e
    return Info(version, time, None if origin is None else Origin(**origin))


def encode_info(info: Info) -> bytes:
    """Write an `.info` file: compact JSON with the keys in the order in which cmd/go writes them, no credentials in its URL."""
    document: dict[str, Any] = {"Version": info.version}
    if info.time is not None:
        at = info.time.astimezone(UTC).replace(tzinfo=None).isoformat()
        document["Time"] = (at.rstrip("0") if "." in at else at) + "Z"
    if info.origin is not None:
        origin = replace(info.origin, url=without_credentials(info.origin.url))
        pairs = ((_JSON_NAMES[f.name], getattr(origin, f.name)) for f in fields(Origin))
        document["Origin"] = {name: text for name, text in pairs if text}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def without_credentials(url: str) -> str:
    """Drop user and password from a URL; text that is no URL comes back as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def served_info(data: bytes, info: Info) -> bytes:
    """Give the bytes to keep and serve for an `.info`: as they came; where any URL in them has credentials, what `info` says."""
    found = False

    def look(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        urls = (value for key, value in pairs if key.lower() == "url" and isinstance(value, str))
        found = found or any(without_credentials(url) != url for url in urls)

    json.loads(decode(data), object_pairs_hook=look, parse_int=float)
    return encode_info(info) if found else data
