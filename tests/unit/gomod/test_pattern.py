"""Lists of path patterns: what they cover."""

import pytest

from phaleron.gomod.pattern import PatternList

ROWS = [
    ("github.com/x", "github.com/x", True),
    ("github.com/x", "github.com/x/y/z", True),
    ("github.com/x", "github.com/xy", False),
    ("github.com/x", "github.com", False),
    ("github.com/x/", "github.com/x/y", True),
    ("*.corp.example", "git.corp.example/a", True),
    ("*.corp.example", "a.b.corp.example/c", True),
    ("*.corp.example", "corp.example", False),
    ("*/x", "a.b/x/y", True),
    ("*", "anything/at/all", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a*c", "a/c", False),
    ("[a-c]x,[^a-c]y", "bx", True),
    ("[a-c]x,[^a-c]y", "by", False),
    ("[a-c]x,[^a-c]y", "dy", True),
    ("[c-a]", "b", False),
    ("[^c-a]", "b", True),
    ("[\\]]", "]", True),
    ("\\*", "*", True),
    ("\\*", "a", False),
    ("a,,b/", "b/c", True),
    (" a", "a", False),
    ("", "a", False),
    (",/,", "a", False),
    # A star is content with the first place where the rest up to the next star matches.
    ("*a*b", "xayab", True),
    ("*[/a]*[/]b", "a//b", False),
    ("**", "ab", True),
]
MALFORMED = ["[", "[]", "[]a]", "[a", "[a-", "[-a]", "[^]", "\\", "a[", "*[", "[a\\", "[a-]"]


@pytest.mark.parametrize(("patterns", "path", "expected"), ROWS)
def test_matches(patterns: str, path: str, expected: bool) -> None:
    assert PatternList.parse(patterns).matches(path) is expected


@pytest.mark.parametrize("malformed", MALFORMED)
def test_malformed_is_no_error_and_matches_nothing(malformed: str) -> None:
    assert not PatternList.parse(malformed)
    assert not PatternList.parse(malformed).matches(malformed)
    assert PatternList.parse(f"{malformed},a").matches("a")


def test_many_stars_are_no_trap() -> None:
    assert not PatternList.parse("*a" * 100 + "b").matches("a" * 3000)
