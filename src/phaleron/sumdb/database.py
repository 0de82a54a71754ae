"""Which checksum database there is: GOSUMDB as the go command reads it.

Source: `go help environment`, "GOSUMDB", and the Go Modules Reference, "Environment variables".
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from phaleron.gomod.errors import RuleError

_NAME = re.compile(r"[0-9a-z]([-.0-9a-z]*[0-9a-z])?(:[0-9]+)?(/[-._~0-9A-Za-z]+)*").fullmatch


@dataclass(frozen=True, slots=True)
class Database:
    """A checksum database."""

    name: str
    """`host[/path]`, as it stands in `/sumdb/<name>/`."""
    url: str
    """Where it answers itself, without a trailing slash."""
    key: str
    """Its verifier key; `""` where GOSUMDB gives the name of a well-known one alone."""


def parse_gosumdb(text: str) -> Database | None:
    """Read GOSUMDB: `name`, `name+hash+key` or `name+hash+key url`; None for `off` or nothing. Raises RuleError."""
    words = text.split()
    if not words or words == ["off"]:
        return None
    if len(words) > 2:
        raise RuleError(f"GOSUMDB {text!r} has more than a key and a URL")
    name, plus, _ = words[0].partition("+")
    if not _NAME(name):
        raise RuleError(f"GOSUMDB {text!r} names no checksum database: {name!r} is no host[/path]")
    url = f"https://{name}"
    if len(words) == 2:
        url = words[1].rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise RuleError(f"GOSUMDB {text!r} has a URL that is neither http nor https")
    return Database(name, url, words[0] if plus else "")
