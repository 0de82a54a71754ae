"""Semantic versions: what is one, its canonical form, its order; queries."""

import pytest

from phaleron.gomod import semver
from phaleron.gomod.errors import RuleError
from phaleron.gomod.version import Query, Version, canonical_version, unescape_version

CANONICAL = [
    ("v1.2.3", "v1.2.3"),
    ("v1", "v1.0.0"),
    ("v1.2", "v1.2.0"),
    ("v1.2.3-RC.1", "v1.2.3-RC.1"),
    ("v1.2.3+meta", "v1.2.3"),
    ("v2.0.0+incompatible", "v2.0.0+incompatible"),
    ("v1.2.3-00a+001", "v1.2.3-00a"),
    ("v1.2.3-01", ""),
    ("v1.2.3-", ""),
    ("v1.2.3-a..b", ""),
    ("v1.2.3+", ""),
    ("v1-pre", ""),
    ("v01.2.3", ""),
    ("1.2.3", ""),
    ("v1.2.3.4", ""),
    ("v1.2.3\n", ""),
    ("v1.2.٣", ""),
    ("v" + "9" * 9000, "v" + "9" * 9000 + ".0.0"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_canonical(text: str, canonical: str) -> None:
    assert canonical_version(text) == canonical
    assert semver.is_valid(text) == bool(canonical)
    if canonical == text and text:
        assert Version(text) == text
    else:
        with pytest.raises(RuleError):
            Version(text)


def test_order() -> None:
    rising = [
        "bad", "v1.0.0-0", "v1.0.0-9", "v1.0.0-10", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta", "v1.0.0",
        "v1.0.1", "v1.9.0", "v1.10.0", "v2.0.0", "v10.0.0", "v" + "1" * 5000,
    ]  # fmt: skip
    falling = rising[::-1]
    assert sorted(falling, key=semver.sort_key) == rising
    assert semver.compare("v1.0.0+a", "v1") == 0
    assert sorted(["v1.0.0+b", "v1.0.0+a", "v1.0.0"], key=semver.sort_key) == ["v1.0.0", "v1.0.0+a", "v1.0.0+b"]


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [
        ("v1.0.0-!r!c1", Version("v1.0.0-RC1")),
        ("main", Query("main")),
        ("v1", Query("v1")),
        ("!feature", Query("Feature")),
    ],
)
def test_unescape(escaped: str, expected: Version | Query) -> None:
    found = unescape_version(escaped)
    assert (type(found), found) == (type(expected), expected)
    assert found.escaped == escaped


@pytest.mark.parametrize("escaped", ["", "Main", "a/b", "é", ".", "a!", "a:b", "con"])
def test_disallowed(escaped: str) -> None:
    with pytest.raises(RuleError):
        unescape_version(escaped)
