"""Reading what an origin gives, however it came: lists, `.info` and go.mod, each held to its rules.

Bytes in, answers out; OriginFailed, with a line that names the rule, for what breaks one. What is merely of no use in a list
is left out. Who asks, and what counts as absent, belongs to the sources.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from phaleron.errors import OriginFailed
from phaleron.gomod import semver
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import Info, parse_info, served_info
from phaleron.gomod.modfile import parse
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo, pseudo_time
from phaleron.gomod.version import Query, Version, fits, is_version
from phaleron.sources.source import Answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is read of each kind of file, in bytes. Of go.mod and zip it is Go's own limit."""

    list_bytes: int = 4 << 20
    info_bytes: int = 1 << 20
    mod_bytes: int = 16 << 20
    zip_bytes: int = 500 << 20


_LONGEST_VERSION = 255
"""In characters: a longer one cannot be a file's name."""

_AT_ONCE_BYTES = 64 << 10
"""What is no longer is read at once, and what is longer in a thread, so that nobody waits behind it."""

_SORTED_AT_ONCE = 2000


async def read_list(path: ModulePath, body: bytes, origin: str) -> Answer[tuple[Version, ...]]:
    """Read a list: the first word of each line where it is a canonical version that may be the module's, ascending.

    Left out are pseudo-versions, as clients leave them out; versions of another major, which a client would try and fail
    with; and what is no version. Raises OriginFailed for a page of HTML, which some servers give for anything.
    """
    if _is_page(body):
        raise OriginFailed(f"{path}: {origin}: the list is a page of HTML and not a version a line")
    versions, encoded = await _read(len(body), lambda: _listed(path, body))
    return Answer(versions, encoded, origin)


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


async def _read(size_bytes: int, reading: Callable[[], T]) -> T:
    return reading() if size_bytes <= _AT_ONCE_BYTES else await asyncio.to_thread(reading)


def _listed(path: ModulePath, body: bytes) -> tuple[tuple[Version, ...], bytes]:
    keyed = [(semver.sort_key(v), v) for v in {version for version, _ in _lines(path, body)} if not is_pseudo(v)]
    # Sorted in runs: one long sort would hold the interpreter's lock, and with it everybody, for as long as it takes.
    runs = [sorted(keyed[at : at + _SORTED_AT_ONCE]) for at in range(0, len(keyed), _SORTED_AT_ONCE)]
    versions = tuple(version for _, version in heapq.merge(*runs))
    return versions, "".join(f"{v}\n" for v in versions).encode()


def _lines(path: ModulePath, body: bytes) -> Iterator[tuple[Version, str]]:
    """Give each line's version, and its second word, which is a time or empty."""
    for line in body.decode(errors="replace").split("\n"):
        words = line.split(maxsplit=2)
        if not words or len(words[0]) > _LONGEST_VERSION:
            continue
        if is_version(words[0]) and fits(path, version := Version(words[0])):
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


async def read_mod(path: ModulePath, version: Version, body: bytes, origin: str) -> Answer[bytes]:
    """Read a go.mod as that of a dependency is read: unknown directives are no fault, and its bytes stay as they are.

    Raises OriginFailed, with the place and the rule, for one that no go command could read, and for a page of HTML, of which
    each line could pass for an unknown directive. Source: modfile.ParseLax.
    """
    if _is_page(body):
        raise OriginFailed(f"{path}@{version}: {origin}: go.mod is a page of HTML")
    try:
        await _read(len(body), lambda: parse(body, strict=False))
    except RuleError as e:
        raise OriginFailed(f"{path}@{version}: {origin}: {e}") from e
    return Answer(body, body, origin)
