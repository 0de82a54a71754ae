"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, decided as Go decides them."""

import pytest

from phaleron.errors import OriginFailed
from phaleron.net.proxies import Proxies

HTTP, HTTPS = "http://one.example:3128", "http://two.example:3128"
BOTH = {"HTTP_PROXY": HTTP, "HTTPS_PROXY": HTTPS}


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://m.example", None),
        (BOTH, "http://m.example", HTTP),
        (BOTH, "https://m.example", HTTPS),
        ({"HTTP_PROXY": HTTP}, "https://m.example", None),
        ({"http_proxy": HTTP}, "http://m.example", HTTP),
        ({"HTTP_PROXY": HTTP, "http_proxy": HTTPS}, "http://m.example", HTTP),
        ({"HTTP_PROXY": "", "http_proxy": HTTPS}, "http://m.example", HTTPS),
        ({"HTTPS_PROXY": "two.example:3128"}, "https://m.example", HTTPS),
        ({"HTTPS_PROXY": "https://u:p@two.example"}, "https://m.example", "https://u:p@two.example"),
    ],
)
def test_the_scheme_of_the_request_chooses(environment: dict[str, str], url: str, proxy: str | None) -> None:
    assert Proxies(environment).proxy_for(url) == proxy


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost:8080", "127.0.0.1", "127.9.9.9:80", "[::1]:8080", "[::ffff:127.0.0.1]"],
)
def test_loopback_is_never_proxied(host: str) -> None:
    assert Proxies(BOTH).proxy_for(f"http://{host}/x") is None


# NO_PROXY, then hosts that go direct, then hosts that are proxied.
NO_PROXY: list[tuple[str, list[str], list[str]]] = [
    ("", [], ["m.example"]),
    ("*", ["m.example", "10.0.0.1"], []),
    ("a.example,*", ["m.example"], []),
    ("m.example", ["m.example", "M.Example", "sub.m.example", "m.example:8080"], ["am.example", "example"]),
    (".m.example", ["sub.m.example", "a.b.m.example"], ["m.example"]),
    ("*.m.example", ["sub.m.example"], ["m.example", "am.example"]),
    ("m.example:8080", ["m.example:8080", "sub.m.example:8080"], ["m.example", "m.example:80"]),
    ("m.example:80", ["m.example"], ["m.example:8080"]),
    (" a.example , m.example ", ["a.example", "m.example"], ["b.example"]),
    ("10.0.0.0/8", ["10.1.2.3", "10.1.2.3:8080"], ["11.0.0.1", "ten.example", "[::a00:1]"]),
    ("10.0.0.1", ["10.0.0.1", "10.0.0.1:8080"], ["10.0.0.2", "10.0.0.1.example"]),
    ("10.0.0.1:80", ["10.0.0.1"], ["10.0.0.1:8080"]),
    ("fd00::/8", ["[fd00::1]", "[fd12::1]:80"], ["[fe80::1]", "m.example"]),
    ("fd00::1", ["[fd00::1]:8080"], ["[fd00::2]"]),
    ("[fd00::1]:80", ["[fd00::1]"], ["[fd00::1]:8080"]),
    ("10.0.0.1", ["[::ffff:10.0.0.1]"], []),
    ("10.0.0.0/99, /, :80, [, ., ,", [], ["m.example", "10.0.0.1"]),
    ("http://m.example", [], ["m.example"]),
]


@pytest.mark.parametrize(("no_proxy", "direct", "proxied"), NO_PROXY)
def test_no_proxy(no_proxy: str, direct: list[str], proxied: list[str]) -> None:
    proxies = Proxies({"HTTP_PROXY": HTTP, "NO_PROXY": no_proxy})
    assert [host for host in direct + proxied if proxies.proxy_for(f"http://u:p@{host}/x") is None] == direct


@pytest.mark.parametrize("proxy", ["socks5://p.example:1080", "http://", "http://p.example:port", "ftp://p.example"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(proxy: str) -> None:
    with pytest.raises(OriginFailed, match="HTTP_PROXY names"):
        Proxies({"HTTP_PROXY": proxy}).proxy_for("http://m.example")
