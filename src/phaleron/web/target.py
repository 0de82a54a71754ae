"""Request targets, parsed once: which route, which module, which version. Behind this no string is checked again.

The path is percent-decoded once (`%21` and `!` are the same), `+` is a plus. What can never be a module, and what no file
system can hold, is refused here, without asking anybody. Source: the Go Modules Reference, "GOPROXY protocol".
"""

import re
from dataclasses import dataclass
from typing import Literal

from phaleron.gomod.errors import RuleError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version, fits, unescape_path, unescape_version

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})|%")
_MOST_NAME_BYTES = 255 - len(".part")
_MOST_PATH_BYTES = 3072
_RESOLVED_BY_CLIENTS = frozenset({"latest", "upgrade", "patch", "none"})
_CACHED_ONLY = "/cached-only"

_TWO_BELOW_HOST = frozenset({"github.com", "bitbucket.org"})
"""Hosts whose repositories lie two elements below them: what is shorter can never be a module."""
_VCS_SUFFIXES = (".git", ".hg", ".svn", ".fossil", ".bzr")


class MalformedError(Exception):
    """The target names nothing that there can ever be. 404, for long."""


class UndecodableError(Exception):
    """The target is not percent-encoded as URLs are. 400."""


@dataclass(frozen=True, slots=True)
class ModuleTarget:
    """A file or answer of the GOPROXY protocol. `query` is set for `info`, `mod` and `zip`; only for `info` it may be a Query."""

    kind: Literal["list", "latest", "info", "mod", "zip"]
    path: ModulePath
    query: Version | Query | None
    cached_only: bool


@dataclass(frozen=True, slots=True)
class SumdbTarget:
    """Something of a checksum database: `rest` is the name of the database and what is asked of it."""

    rest: str
    cached_only: bool


@dataclass(frozen=True, slots=True)
class OtherTarget:
    """Any other route, decoded."""

    path: str


Target = ModuleTarget | SumdbTarget | OtherTarget


def decode(raw_path: bytes) -> str:
    """Undo percent-encoding, once. Raises UndecodableError, MalformedError for what is in no path of ours."""

    def byte(m: re.Match[bytes]) -> bytes:
        if m[1] is None:
            raise UndecodableError("malformed percent-encoding in the request's path")
        return bytes([int(m[1], 16)])

    try:
        path = _PERCENT.sub(byte, raw_path).decode("ascii")
    except UnicodeDecodeError as e:
        raise MalformedError("the path has a character outside ASCII") from e
    if "//" in path or "\\" in path or "\0" in path or any(e in (".", "..") for e in path.split("/")):
        raise MalformedError("the path has an element that no module path has")
    return path


def parse_target(raw_path: bytes, prefix: str) -> Target:
    """Parse a request's path. Raises UndecodableError and MalformedError."""
    path = decode(raw_path)
    if prefix:
        if path != prefix and not path.startswith(f"{prefix}/"):
            return OtherTarget(path)
        path = path.removeprefix(prefix) or "/"
    inner = path.removeprefix(_CACHED_ONLY)
    cached_only = inner is not path and inner.startswith("/")
    if not cached_only:
        inner = path
    if inner.startswith("/sumdb/"):
        return SumdbTarget(inner.removeprefix("/sumdb/"), cached_only)
    cut = inner.rfind("/@v/")
    if cut >= 0:
        return _file_target(inner[1:cut], inner[cut + 4 :], cached_only)
    if inner.endswith("/@latest"):
        return ModuleTarget("latest", _module(inner[1:].removesuffix("/@latest")), None, cached_only)
    if cached_only:
        raise MalformedError("only modules and checksum databases are served below /cached-only")
    return OtherTarget(path)


def _file_target(module: str, name: str, cached_only: bool) -> ModuleTarget:
    path = _module(module)
    if name == "list":
        return ModuleTarget("list", path, None, cached_only)
    escaped, _, suffix = name.rpartition(".")
    if suffix not in ("info", "mod", "zip") or not escaped:
        raise MalformedError(f"{name!r} is neither list nor a version's .info, .mod or .zip")
    if len(escaped) > _MOST_NAME_BYTES:
        raise MalformedError("the version is too long")
    try:
        query = unescape_version(escaped)
    except RuleError as e:
        raise MalformedError(str(e)) from e
    if isinstance(query, Version) and not fits(path, query):
        if suffix != "info":
            raise MalformedError(f"{query} cannot be a version of {path}")
        # v2.0.0 of a module without /v2 is asked for too: its origin may say that it means v2.0.0+incompatible.
        query = Query(query)
    if isinstance(query, Query) and (suffix != "info" or query in _RESOLVED_BY_CLIENTS):
        raise MalformedError(f"{query!r} is not a version that there is a .{suffix} of")
    return ModuleTarget("info" if suffix == "info" else "mod" if suffix == "mod" else "zip", path, query, cached_only)


def _module(escaped: str) -> ModulePath:
    if len(escaped) > _MOST_PATH_BYTES or any(len(e) > _MOST_NAME_BYTES for e in escaped.split("/")):
        raise MalformedError("the module path is too long")
    try:
        path = unescape_path(escaped)
    except RuleError as e:
        raise MalformedError(str(e)) from e
    elements = path.split("/")
    if elements[0] in _TWO_BELOW_HOST and (len(elements) < 3 or elements[2].endswith(_VCS_SUFFIXES)):
        raise MalformedError(
            f"{path} can never be a module: on {elements[0]} they lie at {elements[0]}/OWNER/REPOSITORY"
        )
    return path
