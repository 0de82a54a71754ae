"""Semantic versions as Go writes them: a leading `v`, and `vX` and `vX.Y` as shorthands.

Source: semver.org 2.0.0 and golang.org/x/mod/semver. Plain functions over strings; the type that cannot hold anything but a
canonical version is `phaleron.gomod.version.Version`.
"""

import re
from typing import NamedTuple

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRERELEASE_FIELD = r"(?:0|[1-9][0-9]*|[0-9]*[-A-Za-z][-0-9A-Za-z]*)"
_SEMVER = re.compile(
    rf"v(?P<major>{_NUMBER})(?:\.(?P<minor>{_NUMBER})(?:\.(?P<patch>{_NUMBER})"
    rf"(?P<prerelease>-{_PRERELEASE_FIELD}(?:\.{_PRERELEASE_FIELD})*)?"
    r"(?P<build>\+[-0-9A-Za-z]+(?:\.[-0-9A-Za-z]+)*)?)?)?"
).fullmatch


class Parts(NamedTuple):
    """A parsed version. Numbers stay text (they have no bound); `prerelease` keeps its `-`, `build` its `+`."""

    major: str
    minor: str
    patch: str
    prerelease: str
    build: str
    short: str
    """What the shorthands `vX` and `vX.Y` leave out: `.0.0`, `.0` or nothing."""


def parse(version: str) -> Parts | None:
    """Parse a version; None if it is no semantic version."""
    m = _SEMVER(version)
    if m is None:
        return None
    minor, patch = m["minor"], m["patch"]
    short = ".0.0" if minor is None else ".0" if patch is None else ""
    return Parts(m["major"], minor or "0", patch or "0", m["prerelease"] or "", m["build"] or "", short)


def is_valid(version: str) -> bool:
    """Tell whether `version` is a semantic version, shorthands included."""
    return _SEMVER(version) is not None


def canonical(version: str) -> str:
    """Fill the shorthands and drop build metadata; `""` for what is no version."""
    p = parse(version)
    return "" if p is None else f"v{p.major}.{p.minor}.{p.patch}{p.prerelease}"


def major(version: str) -> str:
    """Give `vX`, or `""` for what is no version."""
    p = parse(version)
    return "" if p is None else f"v{p.major}"


def major_minor(version: str) -> str:
    """Give `vX.Y`, or `""` for what is no version."""
    p = parse(version)
    return "" if p is None else f"v{p.major}.{p.minor}"


def prerelease(version: str) -> str:
    """Give the prerelease suffix with its `-`, or `""`."""
    p = parse(version)
    return "" if p is None else p.prerelease


def build(version: str) -> str:
    """Give the build suffix with its `+`, or `""`."""
    p = parse(version)
    return "" if p is None else p.build


# Numbers have no bound and Python's int() of text has one (4,300 digits), so they are compared as (length, digits).
_Number = tuple[int, str]
_PrereleaseKey = tuple[tuple[int, int, str], ...]
Key = tuple[int, _Number, _Number, _Number, int, _PrereleaseKey]
"""A version's place in the order of precedence; build metadata does not count, an invalid version comes first."""


def key(version: str) -> Key:
    """Give the sort key of a version's precedence."""
    p = parse(version)
    zero = (0, "")
    if p is None:
        return (0, zero, zero, zero, 0, ())
    fields: _PrereleaseKey = ()
    if p.prerelease:
        fields = tuple((0, len(f), f) if f.isdigit() else (1, 0, f) for f in p.prerelease[1:].split("."))
    return (
        1,
        (len(p.major), p.major),
        (len(p.minor), p.minor),
        (len(p.patch), p.patch),
        0 if p.prerelease else 1,
        fields,
    )


def compare(a: str, b: str) -> int:
    """Give -1, 0 or +1 as `a` comes before, with or after `b` in precedence."""
    ka, kb = key(a), key(b)
    return (ka > kb) - (ka < kb)


def sort_key(version: str) -> tuple[Key, str]:
    """Give the key for a stable listing: precedence, ties broken by plain string order."""
    return key(version), version
