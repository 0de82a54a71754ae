"""Reading what an origin gives, however it came: lists, `.info` and go.mod, each held to its rules.

Bytes in, answers out; OriginFailed, with a line that names the rule, for what breaks one. What is merely of no use in a list
is left out. Who asks, and what counts as absent, belongs to the sources.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from phaleron.errors import OriginFailed
from phaleron.gomod import semver
from phaleron.gomod.errors import InvalidVersionError, RuleError
from phaleron.gomod.info import Info, parse_info, served_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo, pseudo_time
from phaleron.gomod.version import Query, Version, fits
from phaleron.sources.source import Answer

LIST_BYTES = 4 << 20
INFO_BYTES = 1 << 20
MOD_BYTES = 16 << 20
ZIP_BYTES = 500 << 20
"""The most that is read of each kind of file, in bytes, where nothing else is set. Of go.mod and zip it is Go's own limit."""

_LONGEST_VERSION = 255
"""In characters: a longer one cannot be a file's name."""

_AT_ONCE_BYTES = 64 << 10
"""A list up to this length is read at once; a longer one in a thread, so that nobody waits behind it."""


async def read_list(path: ModulePath, body: bytes, origin: str) -> Answer[tuple[Version, ...]]:
    """Read a list: the first word of each line where it is a canonical version that may be the module's, ascending.

    Left out are pseudo-versions, as clients leave them out; versions of another major, which a client would try and fail
    with; and what is no version. Raises OriginFailed for a page of HTML, which some servers give for anything.
    """
    if body.lstrip()[:1] == b"<":
        raise OriginFailed(f"{path}: {origin}: the list is a page of HTML and not a version a line")
    versions = _listed(path, body) if len(body) <= _AT_ONCE_BYTES else await asyncio.to_thread(_listed, path, body)
    return Answer(versions, "".join(f"{v}\n" for v in versions).encode(), origin)


def _listed(path: ModulePath, body: bytes) -> tuple[Version, ...]:
    found = {version for version, _ in _lines(path, body) if not is_pseudo(version)}
    return tuple(sorted(found, key=semver.sort_key))


def _lines(path: ModulePath, body: bytes) -> Iterator[tuple[Version, str]]:
    """Give each line's version, and its second word, which is a time or empty."""
    for line in body.decode(errors="replace").split("\n"):
        words = line.split(maxsplit=2)
        if not words or len(words[0]) > _LONGEST_VERSION:
            continue
        try:
            version = Version(words[0])
        except InvalidVersionError:
            continue
        if fits(path, version):
            yield version, words[1] if len(words) > 1 else ""


def pseudo_versions(path: ModulePath, body: bytes) -> tuple[Version, ...]:
    """Give the pseudo-versions of a list, newest first; none if it has any other version.

    They stand in for an `@latest` that an origin does not have, as they do in the go command (modfetch's proxyRepo).
    """
    times: dict[Version, datetime] = {}
    for version, time in _lines(path, body):
        if not is_pseudo(version):
            return ()
        try:
            times[version] = datetime.fromisoformat(time).astimezone(UTC) if time else pseudo_time(version)
        except ValueError:  # no date, in either place
            continue
    return tuple(sorted(times, key=lambda v: (times[v], v), reverse=True))


def read_info(path: ModulePath, query: Version | Query | None, body: bytes, origin: str) -> Answer[Info]:
    """Read the `.info` that was given for a query, None for `@latest`.

    Raises OriginFailed where it is none, where it is of another version than the one that was asked for, and where its version
    cannot be the module's. A version whose major does not fit the path is a query like any other: `v3.0.0` may be answered
    with `v3.0.0+incompatible`. Source: the check in modfetch's proxyRepo.Stat.
    """
    what = f"{path}@{query or 'latest'}: {origin}"
    try:
        info = parse_info(body)
    except RuleError as e:
        raise OriginFailed(f"{what}: {e}") from e
    if isinstance(query, Version) and info.version != query and fits(path, query):
        raise OriginFailed(f"{what}: .info is of another version, {info.version}")
    if not fits(path, info.version):
        raise OriginFailed(f"{what}: .info names {info.version}, which cannot be a version of {path}")
    return Answer(info, served_info(body, info), origin)
