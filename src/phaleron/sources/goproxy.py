"""GOPROXY: a list of places to ask, what its separators mean, and whether one of them is this very server.

Text in, entries out, read as the go command reads it. After `,` the next entry is asked where one has nothing (404 or 410),
after `|` where it fails in any way. `direct` stands for the repositories themselves and `off` for nobody; what follows them does
not count. Source: the Go Modules Reference, "Environment variables", and modfetch's proxyList.
"""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal
from urllib.parse import urlsplit

from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import without_credentials

WORDS = ("direct", "off")
"""Entries that are no addresses."""

_PORTS = {"http": 80, "https": 443}
_ITEM = re.compile(r"([^,|]*)([,|]?)")

Separator = Literal[",", "|", ""]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list."""

    url: str
    """A base URL without a slash at its end, credentials included; or `direct`, or `off`."""
    separator: Separator = ""
    """What stands behind it: `,` lets the next be asked where this one has nothing, `|` wherever it fails."""
    spare: bool = False
    """Whether a failure of this one leads to another URL: then it is not worth asking again and again."""

    @property
    def is_url(self) -> bool:
        """Whether it is an address, and not `direct` or `off`."""
        return self.url not in WORDS

    @property
    def origin(self) -> str:
        """The URL as it may be shown."""
        return without_credentials(self.url)


def parse_goproxy(text: str) -> tuple[Entry, ...]:
    """Read a GOPROXY list. Raises RuleError that names the entry at fault, without its credentials."""
    found: list[tuple[str, Separator]] = []
    for word, separator in _items(text):
        url = word if word in WORDS else _base_url(word)
        found.append((url, separator))
        if url in WORDS:
            break
    if not found:
        raise RuleError("the GOPROXY list has no entries: it takes URLs, direct, or off")
    entries = []
    for at, (url, separator) in enumerate(found):
        following = found[at + 1][0] if at + 1 < len(found) else ""
        entries.append(Entry(url, separator if following else "", separator == "|" and following not in ("", *WORDS)))
    return tuple(entries)


def _items(text: str) -> Iterator[tuple[str, Separator]]:
    """Give each word that is not empty with what stands behind it."""
    for m in _ITEM.finditer(text):
        if word := m[1].strip():
            separator: Separator = "," if m[2] == "," else "|" if m[2] else ""
            yield word, separator


def _base_url(word: str) -> str:
    """Read an address. Without a scheme it is https, as long as it does not look like a word or a path."""
    bare = ":/" not in word and not word.startswith("/") and re.search(r"[.:/]", word) is not None
    url = f"https://{word}" if bare else word
    shown = without_credentials(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as e:
        raise RuleError(f"GOPROXY entry {shown!r} is no URL: {e}") from e
    if parts.scheme not in ("http", "https", "file"):
        raise RuleError(f"GOPROXY entry {shown!r} is none of direct, off, http://…, https://…, file:///…")
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise RuleError(f"GOPROXY entry {shown!r} has a blank or control character in it")
    if parts.query or parts.fragment:
        raise RuleError(f"GOPROXY entry {shown!r} is no base URL: it has a query or a fragment")
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise RuleError(f"GOPROXY entry {shown!r} is not of the form file:///absolute/path")
    if parts.scheme != "file" and not parts.hostname:
        raise RuleError(f"GOPROXY entry {shown!r} names no host")
    return url.rstrip("/")


def is_self(url: str, host: str, port: int) -> bool:
    """Tell whether a base URL leads to the server that listens on `host` (`""`: on all addresses) and `port` (0: on none).

    It does where the ports are equal and the URL's host has an address that is the server's own: the one it listens on, or
    any of this machine if it listens on all of them. The path does not matter, for the whole port is the server's. Names are
    looked up, which may take seconds: for the start, not for requests.
    """
    parts = urlsplit(url)
    if not port or parts.scheme not in _PORTS or (parts.port or _PORTS[parts.scheme]) != port:
        return False
    named = _addresses(parts.hostname or "")
    bound = _addresses(host.strip("[]"))
    if not host or any(address.is_unspecified for address in bound):
        return any(_is_local(address) for address in named)
    return bool(named & bound)


def _addresses(host: str) -> set[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {_plain(str(address[0])) for *_, address in found}


def _plain(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_local(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of this machine's: then, and only then, something can be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
