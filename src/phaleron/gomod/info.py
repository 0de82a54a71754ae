"""`.info` files: a version, its commit time, and where it came from.

Source: the Go Modules Reference, "GOPROXY protocol", and cmd/go's modfetch.RevInfo and codehost.Origin.
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from phaleron.gomod.errors import InvalidVersionError, RuleError
from phaleron.gomod.version import Version

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))"
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


@dataclass(frozen=True, slots=True)
class Info:
    """What an `.info` file says. `time` is None where the file has none."""

    version: Version
    time: datetime | None = None
    origin: Origin | None = None


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    m = _RFC3339(value) if isinstance(value, str) else None
    if m is None:
        raise RuleError(f".info has a Time that is not RFC 3339: {value!r}")
    try:
        at = datetime.fromisoformat(m[0].upper() if not m[7] else m[0].upper().replace(m[7], m[7][:6].ljust(6, "0"), 1))
    except ValueError as e:
        raise RuleError(f".info has a Time that is no date: {value!r}") from e
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _origin(value: object) -> Origin | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RuleError(".info has an Origin that is no object")
    found: dict[str, str] = {}
    for name, json_name in _JSON_NAMES.items():
        text = value.get(json_name, "")
        if not isinstance(text, str):
            raise RuleError(f".info has an Origin.{json_name} that is no string")
        found[name] = text
    return Origin(**found)


def parse_info(data: bytes) -> Info:
    """Read an `.info` file. Raises RuleError that names the field at fault; unknown fields are no fault."""
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise RuleError(f".info is not JSON: {e}") from e
    if not isinstance(document, dict):
        raise RuleError(".info is no JSON object")
    text = document.get("Version")
    if not isinstance(text, str):
        raise RuleError(".info has no Version")
    try:
        version = Version(text)
    except InvalidVersionError as e:
        raise RuleError(f".info has a Version that is not canonical: {text!r}") from e
    return Info(version, _time(document.get("Time")), _origin(document.get("Origin")))


def encode_info(info: Info) -> bytes:
    """Write an `.info` file: compact JSON with the keys in the order in which cmd/go writes them."""
    document: dict[str, Any] = {"Version": info.version}
    if info.time is not None:
        document["Time"] = info.time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if info.origin is not None:
        pairs = ((_JSON_NAMES[f.name], getattr(info.origin, f.name)) for f in fields(Origin))
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
    """Give the bytes to keep and serve for an `.info`: as they came, but for credentials in Origin.URL."""
    if info.origin is None or without_credentials(info.origin.url) == info.origin.url:
        return data
    document = json.loads(data)
    document["Origin"]["URL"] = without_credentials(info.origin.url)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
