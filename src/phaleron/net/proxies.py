"""Which HTTP proxy a request goes through, decided as Go decides it.

HTTP_PROXY and HTTPS_PROXY (or in lower case) by the request's scheme; NO_PROXY is a comma list of hosts, domains (`.example.com`
and `example.com` cover what is below, the second the host itself too), addresses, networks in CIDR form, each with an optional
port, or `*`. Loopback addresses and localhost are never proxied. Source: golang.org/x/net/http/httpproxy.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower()) or ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class Proxies:
    """The environment's proxies."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._by_scheme = {scheme: _value(environment, f"{scheme.upper()}_PROXY") for scheme in _PORTS}
        self._not = [word.strip().lower() for word in _value(environment, "NO_PROXY").split(",") if word.strip()]

    def proxy_for(self, url: str) -> str | None:
        """Give the proxy's URL for a request's, or None where it goes direct."""
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme, "")
        if not proxy or not self._is_proxied(parts):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _is_proxied(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return False
        port = parts.port or _PORTS[parts.scheme]
        return not any(self._covers(word, host, address, port) for word in self._not)

    @staticmethod
    def _covers(word: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int) -> bool:
        if word == "*":
            return True
        if "/" in word:
            try:
                return address is not None and address in ipaddress.ip_network(word, strict=False)
            except ValueError:
                return False
        if word.count(":") == 1 or word.startswith("["):
            parts = urlsplit(f"//{word}")
            try:
                if parts.port is not None and parts.port != port:
                    return False
            except ValueError:
                return False
            word = parts.hostname or ""
        if address is not None:
            return _address(word) == address
        domain = word.removeprefix("*").lstrip(".")
        below = host.endswith(f".{domain}")
        return below or (host == domain and not word.startswith((".", "*.")))
