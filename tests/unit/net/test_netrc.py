"""netrc and credentials in URLs, read as the go command reads them."""

from base64 import b64decode
from pathlib import Path

import pytest

from phaleron.net.netrc import Netrc, parse_netrc, sends_in_clear, url_authorization


def plain(authorization: str | None) -> str | None:
    return b64decode(authorization.removeprefix("Basic ")).decode() if authorization else None


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        ("machine a.example login l password p", [("a.example", "l", "p")]),
        ("machine a.example\n\tlogin l\n\tpassword p\n", [("a.example", "l", "p")]),
        ("machine a.example password p login l\n", [("a.example", "l", "p")]),
        ("machine a.example account x login l password p", [("a.example", "l", "p")]),
        ("machine a.example login l\nmachine b.example login m password q", [("b.example", "m", "q")]),
        ("machine a.example login l password p extra", [("a.example", "l", "p")]),
        (
            "machine a.example login l password p\nmachine b.example login m password q\n",
            [("a.example", "l", "p"), ("b.example", "m", "q")],
        ),
        (
            "macdef init\nmachine a.example login l password p\n\nmachine b.example login m password q",
            [("b.example", "m", "q")],
        ),
        ("default\nmachine a.example login l password p", []),
        # With words behind it, `default` is but the first of a pair to the go command, which then gives nothing either.
        ("default login anonymous password x\nmachine a.example login l password p", [("a.example", "l", "p")]),
        ("login l password p machine a.example", []),
    ],
)
def test_entries(text: str, entries: list[tuple[str, str, str]]) -> None:
    assert list(parse_netrc(text)) == entries


NETRC = """
machine a.example login host password 1
machine a.example login later password 2
machine a.example:8080 login port password 3
machine a.example/deep/er/ login path password 4
machine https://b.example/ login scheme password 5
"""


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("https://a.example", "host:1"),
        ("https://a.example/x/@v/list", "host:1"),
        ("http://a.example/x", "host:1"),
        ("https://u@a.example/x", "host:1"),
        ("https://a.example:8080/x", "port:3"),
        ("https://a.example:9090/x", None),
        ("https://a.example/deep/er", "path:4"),
        ("https://a.example/deep/er/est", "path:4"),
        ("https://a.example/deep/erst", "host:1"),
        ("https://b.example/x", "scheme:5"),
        ("https://sub.a.example/x", None),
        ("https://c.example", None),
    ],
)
def test_the_longest_machine_that_covers_a_url_counts_and_the_earlier_of_two(url: str, who: str | None) -> None:
    assert plain(Netrc(NETRC).authorization(url)) == who


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("https://a.example/x", None),
        ("https://u:p@a.example/x", "u:p"),
        ("https://u@a.example/x", "u:"),
        ("https://:p@a.example/x", ":p"),
        ("https://u%40corp:p%3A%2F@a.example", "u@corp:p:/"),
    ],
)
def test_credentials_in_a_url(url: str, who: str | None) -> None:
    assert plain(url_authorization(url)) == who


@pytest.mark.parametrize(
    ("goauth", "is_read"),
    [
        (None, True),
        ("netrc", True),
        ("off", False),
        ("git /home/x", False),
        ("my-command -x; netrc", True),
        ("", False),
    ],
)
def test_goauth_says_whether_the_file_is_read(tmp_path: Path, goauth: str | None, is_read: bool) -> None:
    (tmp_path / "creds").write_text(NETRC)
    environment = {"NETRC": str(tmp_path / "creds"), **({} if goauth is None else {"GOAUTH": goauth})}
    assert (Netrc.from_environment(environment).authorization("https://a.example") is not None) is is_read


def test_the_file_is_in_the_home_directory_or_nowhere(tmp_path: Path) -> None:
    assert Netrc.from_environment({"HOME": str(tmp_path)}).authorization("https://a.example") is None
    (tmp_path / ".netrc").write_text(NETRC)
    assert Netrc.from_environment({"HOME": str(tmp_path)}).authorization("https://a.example")
    assert Netrc.from_environment({}).authorization("https://a.example") is None
    (tmp_path / ".netrc").unlink()
    (tmp_path / ".netrc").mkdir()  # cannot be read: a warning in the log, and no credentials
    assert Netrc.from_environment({"HOME": str(tmp_path)}).authorization("https://a.example") is None


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://u:p@c.example", True),
        ("https://u:p@c.example", False),
        ("http://c.example", False),
        ("http://a.example", True),
        ("https://a.example", False),
        ("file:///srv/modules", False),
    ],
)
def test_credentials_in_the_clear_are_known(tmp_path: Path, url: str, warned: bool) -> None:
    (tmp_path / ".netrc").write_text(NETRC)
    assert sends_in_clear(url, {"HOME": str(tmp_path)}) is warned
