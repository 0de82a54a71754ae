"""Pseudo-versions: names for commits that have no tag, made of the tag before, the commit's time and its hash.

Three forms, by the base, the newest allowed tag before the commit:
- `vX.0.0-TIME-HASH` without one;
- `vX.Y.Z-pre.0.TIME-HASH` after the prerelease `vX.Y.Z-pre`;
- `vX.Y.(Z+1)-0.TIME-HASH` after the release `vX.Y.Z`.
The last two keep the base's `+incompatible`. TIME is the commit's, UTC, 14 digits. Source: the Go Modules Reference,
"Pseudo-versions", and golang.org/x/mod/module.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from phaleron.gomod import semver
from phaleron.gomod.errors import InvalidVersionError
from phaleron.gomod.gotime import make_time

_PSEUDO = re.compile(
    r"v[0-9]+\.(0\.0-|[0-9]+\.[0-9]+-([^+]*\.)?0\.)[0-9]{14}-[A-Za-z0-9]+(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
).fullmatch


def is_pseudo(version: str) -> bool:
    """Tell whether a version has the shape of a pseudo-version."""
    return version.count("-") >= 2 and semver.is_valid(version) and _PSEUDO(version) is not None


def _increment(decimal: str) -> str:
    """Add one to digits of any length (int() has a limit on them)."""
    head = decimal.rstrip("9")
    nines = len(decimal) - len(head)
    return (head[:-1] + chr(ord(head[-1]) + 1) if head else "1") + "0" * nines


def _decrement(decimal: str) -> str:
    """Take one from digits of any length; `""` where that would be negative."""
    head = decimal.rstrip("0")
    zeros = len(decimal) - len(head)
    if not head:
        return ""
    less = head[:-1] + chr(ord(head[-1]) - 1)
    if len(decimal) > 1 and less == "0":
        less = ""
    return less + "9" * zeros


def pseudo_version(major: str, older: str, time: datetime, revision: str) -> str:
    """Make a pseudo-version.

    Arguments: `major` is `vX` or `""` for v0, for use where there is no base; `older` is the base or `""`; `time` is the commit's,
    aware; `revision` is the short form of its hash.
    """
    segment = f"{time.astimezone(UTC).strftime('%Y%m%d%H%M%S').zfill(14)}-{revision}"
    build = semver.build(older)
    base = semver.canonical(older)
    if not base:
        return f"{major or 'v0'}.0.0-{segment}"
    if semver.prerelease(base):
        return f"{base}.0.{segment}{build}"
    head, _, patch = base.rpartition(".")
    return f"{head}.{_increment(patch)}-0.{segment}{build}"


class _Parts(NamedTuple):
    base: str
    timestamp: str
    revision: str
    build: str


def _parse(version: str) -> _Parts:
    if not is_pseudo(version):
        raise InvalidVersionError(version, "not a pseudo-version")
    build = semver.build(version)
    rest, _, revision = version.removesuffix(build).rpartition("-")
    dot, dash = rest.rfind("."), rest.rfind("-")
    cut = max(dot, dash)
    return _Parts(rest[:cut], rest[cut + 1 :], revision, build)


def pseudo_time(version: str) -> datetime:
    """Give the commit time. Raises InvalidVersionError for what is no pseudo-version, or has a time that is no date."""
    timestamp = _parse(version).timestamp
    time = make_time(int(timestamp[:4]), *(int(timestamp[at : at + 2]) for at in range(4, 14, 2)))
    if time is None:
        raise InvalidVersionError(version, f"malformed time {timestamp!r}")
    return time


def pseudo_revision(version: str) -> str:
    """Give the short hash. Raises InvalidVersionError for what is no pseudo-version."""
    return _parse(version).revision


def pseudo_base(version: str) -> str:
    """Give the tag that the pseudo-version is based on, or `""`.

    Raises InvalidVersionError for what is no pseudo-version, and for one that no tag can have led to.
    """
    base, _, _, build = _parse(version)
    prerelease = semver.prerelease(base)
    if not prerelease:
        if build:
            raise InvalidVersionError(version, f"lacks base version, but has build metadata {build!r}")
        return ""
    if prerelease == "-0":
        head, _, patch = base.removesuffix(prerelease).rpartition(".")
        lower = _decrement(patch)
        if not lower:
            raise InvalidVersionError(version, f"version before {head}.{patch} would have negative patch number")
        return f"{head}.{lower}{build}"
    return base.removesuffix(".0") + build
