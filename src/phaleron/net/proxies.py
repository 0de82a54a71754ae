"""Which HTTP proxy a request goes through, decided as Go decides it; the client library decides it otherwise.

HTTP_PROXY and HTTPS_PROXY (or in lower case) count by the scheme of the request. NO_PROXY is a comma list: `*`; an address or a
network in CIDR form; a domain, which covers the host itself and what is below it; `.domain` and `*.domain`, which cover only what
is below. Addresses and domains may end in a port. localhost and loopback addresses go direct whatever is set. Entries that make
no sense are passed over. Source: golang.org/x/net/http/httpproxy.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from phaleron.errors import OriginFailed

_PORTS = {"http": 80, "https": 443}
_SPOKEN = ("http", "https")
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:]*)):(?P<port>[^:]*)").fullmatch

_Address = IPv4Address | IPv6Address
_Covers = Callable[[str, _Address | None, str], bool]
"""Tells whether an entry covers a host, its address where it is one, and a port."""


def _address(host: str) -> _Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _network(cidr: str, address: _Address | None) -> bool:
    network = ip_network(cidr, strict=False)
    return (
        address is not None
        and isinstance(address, IPv6Address) == isinstance(network, IPv6Network)
        and address in network
    )


def _entry(word: str) -> _Covers | None:
    """Read one entry of NO_PROXY; None for what makes no sense."""
    if word == "*":
        return lambda host, address, port: True
    if "/" in word:
        try:
            ip_network(word, strict=False)
        except ValueError:
            return None
        return lambda host, address, port: _network(word, address)
    m = _WITH_PORT(word)
    name, wanted = (m["v6"] or m["host"] or "", m["port"]) if m else (word, "")
    if not name:
        return None
    if (it := _address(name)) is not None:
        return lambda host, address, port: address == it and wanted in ("", port)
    name = name.removeprefix("*") if name.startswith("*.") else name
    below = name if name.startswith(".") else f".{name}"
    return lambda host, address, port: (
        address is None and (host.endswith(below) or host == name) and wanted in ("", port)
    )


class Proxies:
    """The proxies that an environment names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        def value(name: str) -> str:
            return environment.get(name) or environment.get(name.lower()) or ""

        self._by_scheme = {scheme: value(f"{scheme.upper()}_PROXY") for scheme in _PORTS}
        words = (word.strip().lower() for word in value("NO_PROXY").split(","))
        self._direct = [covers for word in words if word and (covers := _entry(word)) is not None]

    def proxy_for(self, url: str) -> str | None:
        """Give the URL of the proxy that a request for `url` goes through, None where it goes direct.

        Raises OriginFailed where the environment names one that cannot be used.
        """
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme)
        if not proxy:
            return None
        host = (parts.hostname or "").lower()
        address = _address(host)
        port = str(parts.port or _PORTS[parts.scheme])
        if host == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(covers(host, address, port) for covers in self._direct):
            return None
        return _usable(proxy, f"{parts.scheme.upper()}_PROXY")


def _usable(proxy: str, variable: str) -> str:
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as e:
        raise OriginFailed(f"{variable} names no proxy that can be used: {e}") from e
    if parts.scheme not in _SPOKEN or not parts.hostname:
        raise OriginFailed(f"{variable} names a {parts.scheme} proxy; only http and https ones can be used here")
    return url
