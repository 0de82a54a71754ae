"""GOPROXY: a list of proxies, and what its separators mean.

After `,` the next entry is asked where one says "not there" (404 or 410), after `|` where it fails in any way. `direct` stands
for the repositories themselves, `off` for nobody. Source: the Go Modules Reference, "Environment variables".
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import without_credentials

_SEPARATED = re.compile(r"([^,|]*)([,|]|\Z)")
_SCHEMES = ("http", "https", "file")
_PORTS = {"http": 80, "https": 443}

Fallback = Literal["absent", "any"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list."""

    url: str
    """A base URL without a trailing slash, or `direct`, or `off`."""
    fallback: Fallback
    """When the next entry is asked: where this one has nothing, or whenever it fails."""

    @property
    def is_url(self) -> bool:
        """Whether it is a proxy or a file tree."""
        return self.url not in ("direct", "off")

    @property
    def origin(self) -> str:
        """The URL as it may be shown."""
        return without_credentials(self.url)


def parse_goproxy(text: str) -> tuple[Entry, ...]:
    """Read a GOPROXY list; what follows `direct` or `off` does not count. Raises RuleError that names the entry."""
    entries: list[Entry] = []
    for m in _SEPARATED.finditer(text):
        word = m[1].strip()
        if not word:
            continue
        url = word if word in ("direct", "off") else _base_url(word)
        entries.append(Entry(url, "any" if m[2] == "|" else "absent"))
        if url in ("direct", "off"):
            break
    if not entries:
        raise RuleError("GOPROXY list is empty; write a URL, direct or off")
    return tuple(entries)


def _base_url(word: str) -> str:
    url = word if "://" in word else f"https://{word}"
    shown = without_credentials(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as e:
        raise RuleError(f"GOPROXY entry {shown!r} is no URL: {e}") from e
    if parts.scheme not in _SCHEMES:
        raise RuleError(f"GOPROXY entry {shown!r} is neither http, https nor file")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise RuleError(f"GOPROXY entry {shown!r} is not of the form file:///absolute/path")
    elif not parts.hostname or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise RuleError(f"GOPROXY entry {shown!r} is no base URL: it needs a host, and no query")
    return url.rstrip("/")


def is_self(url: str, host: str, port: int) -> bool:
    """Tell whether a base URL leads to a server of this machine that listens on `host` and `port` (0: on none)."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not port or (parts.port or _PORTS[parts.scheme]) != port:
        return False
    return (_is_local(parts) and (_is_wild(host) or _is_loopback(host))) or parts.hostname == host.strip("[]")


def _is_local(parts: SplitResult) -> bool:
    return _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    host = host.strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_wild(host: str) -> bool:
    return host.strip("[]") in ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to
