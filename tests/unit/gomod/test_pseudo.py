"""Pseudo-versions, made and taken apart."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from phaleron.gomod.errors import InvalidVersionError
from phaleron.gomod.pseudo import is_pseudo, pseudo_base, pseudo_revision, pseudo_time, pseudo_version

AT = datetime(2019, 11, 9, 1, 19, 31, tzinfo=timezone(timedelta(hours=-1)))
TAIL = "20191109021931-daa7c04131f5"
MADE = [
    # older                    pseudo-version
    ("",                       f"v3.0.0-{TAIL}"),
    ("v1.2.3",                 f"v1.2.4-0.{TAIL}"),
    ("v1.2.9",                 f"v1.2.10-0.{TAIL}"),
    ("v1.2.99",                f"v1.2.100-0.{TAIL}"),
    ("v1.2." + "9" * 5000,     f"v1.2.1{'0' * 5000}-0.{TAIL}"),
    ("v1.2.3-pre",             f"v1.2.3-pre.0.{TAIL}"),
    ("v1.2.3-0",               f"v1.2.3-0.0.{TAIL}"),
    ("v2.2.3+incompatible",    f"v2.2.4-0.{TAIL}+incompatible"),
    ("v2.2.3-a+incompatible",  f"v2.2.3-a.0.{TAIL}+incompatible"),
]  # fmt: skip


@pytest.mark.parametrize(("older", "made"), MADE)
def test_there_and_back(older: str, made: str) -> None:
    assert pseudo_version("v3", older, AT, "daa7c04131f5") == made
    assert is_pseudo(made)
    assert pseudo_base(made) == older
    assert pseudo_time(made) == AT
    assert pseudo_revision(made) == "daa7c04131f5"


def test_of_nothing_at_all() -> None:
    zero = pseudo_version("", "", datetime.min.replace(tzinfo=UTC), "0" * 12)
    assert zero == "v0.0.0-00010101000000-000000000000"


@pytest.mark.parametrize(
    "version",
    [
        "v1.2.3",
        f"v1.2.3-{TAIL}",
        f"v1.0.0-pre.{TAIL}",
        "v0.0.0-2019110902193-daa7c04131f5",
        "v0.0.0-20191109021931-",
        "v0.0.0-20191109021931-a.b",
        f"v01.0.0-{TAIL}",
        f"v0.0.0-{TAIL}\n",
    ],
)
def test_what_is_none(version: str) -> None:
    assert not is_pseudo(version)
    for take in (pseudo_base, pseudo_time, pseudo_revision):
        with pytest.raises(InvalidVersionError, match="not a pseudo-version"):
            take(version)


@pytest.mark.parametrize("version", [f"v1.2.0-0.{TAIL}", f"v2.0.0-{TAIL}+incompatible"])
def test_no_tag_can_have_led_there(version: str) -> None:
    assert is_pseudo(version)
    with pytest.raises(InvalidVersionError):
        pseudo_base(version)


@pytest.mark.parametrize("stamp", ["20190229000000", "20191301000000", "20191109240000", "20191109000060"])
def test_no_such_date(stamp: str) -> None:
    with pytest.raises(InvalidVersionError, match="malformed time"):
        pseudo_time(f"v0.0.0-{stamp}-daa7c04131f5")


def test_a_year_that_python_has_not() -> None:
    assert pseudo_time("v0.0.0-00000229000000-daa7c04131f5") == datetime.min.replace(tzinfo=UTC)
