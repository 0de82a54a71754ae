"""What GOSUMDB may say, and what may be asked of a checksum database."""

import pytest

from phaleron.gomod.errors import RuleError
from phaleron.sumdb.database import Database, parse_gosumdb
from phaleron.sumdb.request import Latest, Lookup, Tile, parse_request


@pytest.mark.parametrize(
    ("text", "database"),
    [
        ("off", None),
        ("", None),
        ("sum.example.org", Database("sum.example.org", "https://sum.example.org", "")),
        (
            "sum.example.org+033de0ae+Ac4z",
            Database("sum.example.org", "https://sum.example.org", "sum.example.org+033de0ae+Ac4z"),
        ),
        (
            "h.example/db+0a+Ac4z http://127.0.0.1:1/base/",
            Database("h.example/db", "http://127.0.0.1:1/base", "h.example/db+0a+Ac4z"),
        ),
    ],
)
def test_gosumdb(text: str, database: Database | None) -> None:
    assert parse_gosumdb(text) == database


@pytest.mark.parametrize("text", ["a b c", "../x", "UPPER", "x+1+k ftp://h", "-", "a//b"])
def test_gosumdb_that_names_nothing(text: str) -> None:
    with pytest.raises(RuleError, match="GOSUMDB"):
        parse_gosumdb(text)


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("latest", Latest),
        ("lookup/github.com/!azure/x@v1.0.0-!r!c1", Lookup),
        ("tile/8/0/000", Tile),
        ("tile/8/1/x001/234.p/5", Tile),
        ("tile/8/data/x001/x002/003", Tile),
    ],
)
def test_requests(rest: str, kind: type) -> None:
    assert isinstance(parse_request(rest), kind)


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "latest/",
        "lookup/github.com/x/y",
        "lookup/github.com/x/y@master",
        "lookup/github.com/Azure/x@v1.0.0",
        "tile/8/0/0",
        "tile/8/0/000.p/256",
        "tile/8/0/000.p/0",
        "tile/8/0/x000/001",
        "tile/8/../../etc/passwd",
        "tile/31/0/000",
        "supported/x",
    ],
)
def test_what_no_database_can_be_asked(rest: str) -> None:
    with pytest.raises(RuleError):
        parse_request(rest)
