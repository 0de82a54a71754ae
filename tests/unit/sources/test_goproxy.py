"""GOPROXY lists, and whether an entry is this very server."""

import socket

import pytest

from phaleron.gomod.errors import RuleError
from phaleron.sources.goproxy import Entry, is_self, parse_goproxy


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("https://a.example", [("https://a.example", "", False)]),
        ("https://a.example/", [("https://a.example", "", False)]),
        ("https://a.example/prefix/", [("https://a.example/prefix", "", False)]),
        ("a.example", [("https://a.example", "", False)]),
        ("a.example/go", [("https://a.example/go", "", False)]),
        ("localhost:3000", [("https://localhost:3000", "", False)]),
        ("HTTPS://a.example", [("HTTPS://a.example", "", False)]),
        ("http://u:p@a.example:80", [("http://u:p@a.example:80", "", False)]),
        ("http://[::1]:3000", [("http://[::1]:3000", "", False)]),
        ("file:///srv/modules", [("file:///srv/modules", "", False)]),
        ("file:/srv/modules", [("file:/srv/modules", "", False)]),
        ("direct", [("direct", "", False)]),
        ("off", [("off", "", False)]),
        ("https://a.example,direct", [("https://a.example", ",", False), ("direct", "", False)]),
        ("https://a.example|direct", [("https://a.example", "|", False), ("direct", "", False)]),
        (
            "https://a.example|https://b.example,https://c.example",
            [("https://a.example", "|", True), ("https://b.example", ",", False), ("https://c.example", "", False)],
        ),
        (" https://a.example , , direct ", [("https://a.example", ",", False), ("direct", "", False)]),
        (",|https://a.example,", [("https://a.example", "", False)]),
        ("https://a.example|", [("https://a.example", "", False)]),
        ("direct,https://a.example", [("direct", "", False)]),
        ("off|no url at all", [("off", "", False)]),
    ],
)
def test_lists(text: str, entries: list[tuple[str, str, bool]]) -> None:
    assert [(e.url, e.separator, e.spare) for e in parse_goproxy(text)] == entries


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no entries"),
        (" , | ", "no entries"),
        ("proxy", "'proxy' is none of direct, off"),
        ("Direct", "'Direct' is none of direct, off"),
        ("/srv/modules", "'/srv/modules' is none of"),
        ("ftp://a.example", "'ftp://a.example' is none of"),
        ("ssh://git@a.example/x", "is none of"),
        ("https://", "names no host"),
        ("https:///x", "names no host"),
        ("https://a.example:port", "is no URL"),
        ("https://a.example:99999", "is no URL"),
        ("https://[::1", "is no URL"),
        ("https://a.example?x=1", "no base URL"),
        ("https://a.example#x", "no base URL"),
        ("https://a.exam ple", "a blank or control character"),
        ("https://a.example/\x7f", "a blank or control character"),
        ("file://host/srv", "not of the form file:///absolute/path"),
        ("file://srv", "not of the form file:///absolute/path"),
        ("file:srv", "is no URL"),
        ("https://a.example,https://b.example,proxy", "'proxy'"),
    ],
)
def test_what_is_wrong_is_named(text: str, fault: str) -> None:
    with pytest.raises(RuleError, match=fault):
        parse_goproxy(text)


@pytest.mark.parametrize("text", ["https://u:geheim@a.example:port", "u:geheim@a.example?x", "ftp://u:geheim@h"])
def test_errors_hold_no_credentials(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_goproxy(text)
    assert "geheim" not in str(caught.value)


def test_an_entry_is_shown_without_credentials() -> None:
    assert Entry("https://u:p@a.example/x").origin == "https://a.example/x"


# URL, host, port, and whether that is one and the same.
SELF = [
    ("http://127.0.0.1:3000", "127.0.0.1", 3000, True),
    ("http://127.0.0.1:3000/", "127.0.0.1", 3000, True),
    ("http://127.0.0.1:3000/any/prefix", "127.0.0.1", 3000, True),
    ("http://u:p@127.0.0.1:3000", "127.0.0.1", 3000, True),
    ("https://127.0.0.1:3000", "127.0.0.1", 3000, True),
    ("http://localhost:3000", "127.0.0.1", 3000, True),
    ("http://localhost:3000", "localhost", 3000, True),
    ("http://127.0.0.1:3000", "localhost", 3000, True),
    ("http://localhost:3000", "", 3000, True),
    ("http://localhost:3000", "0.0.0.0", 3000, True),
    ("http://127.0.0.1:3000", "::", 3000, True),
    ("http://127.0.0.2:3000", "0.0.0.0", 3000, True),
    ("http://[::ffff:127.0.0.1]:3000", "127.0.0.1", 3000, True),
    (f"http://{socket.gethostname()}:3000", "", 3000, True),
    ("http://127.0.0.1", "127.0.0.1", 80, True),
    ("https://127.0.0.1", "127.0.0.1", 443, True),
    ("http://127.0.0.1:3001", "127.0.0.1", 3000, False),
    ("http://127.0.0.2:3000", "127.0.0.1", 3000, False),
    ("http://192.0.2.1:3000", "", 3000, False),  # an address for documentation: no machine has it
    ("http://nowhere.invalid:3000", "", 3000, False),
    ("http://127.0.0.1:3000", "127.0.0.1", 0, False),
    ("file:///srv/modules", "127.0.0.1", 3000, False),
    ("direct", "127.0.0.1", 3000, False),
]


@pytest.mark.parametrize(("url", "host", "port", "same"), SELF)
def test_an_entry_that_is_this_server(url: str, host: str, port: int, same: bool) -> None:
    assert is_self(url, host, port) is same
