"""What may be asked of a checksum database, parsed once at the door.

Source: the Go Modules Reference, "Checksum database", and golang.org/x/mod/sumdb.
"""

import re
from dataclasses import dataclass

from phaleron.gomod.errors import RuleError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version, unescape_path, unescape_version

_TILE = re.compile(
    r"tile/(?P<height>[1-9]|[12][0-9]|30)/(?P<level>data|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,8}))?"
).fullmatch


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest signed tree head."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The record of a module version."""

    path: ModulePath
    version: Version


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes, or of records where `level` is `data`."""

    full: str
    """The request of the whole tile, without a width."""
    width: int
    """How many entries; 0 for the whole tile."""
    height: int
    data: bool

    @property
    def entry_bytes(self) -> int:
        """The size of an entry in bytes; 0 where entries differ in size."""
        return 0 if self.data else 32


def parse_request(rest: str) -> Latest | Lookup | Tile:
    """Read what stands below `/sumdb/<name>/`, unescaped of percent signs. Raises RuleError."""
    if rest == "latest":
        return Latest()
    if rest.startswith("lookup/"):
        path, at, version = rest.removeprefix("lookup/").partition("@")
        if not at:
            raise RuleError(f"{rest!r} is no module@version")
        parsed = unescape_version(version)
        if not isinstance(parsed, Version):
            raise RuleError(f"{rest!r} has a version that is not canonical")
        return Lookup(unescape_path(path), parsed)
    tile = _TILE(rest)
    if tile is None:
        raise RuleError(f"{rest!r} is neither latest, lookup/module@version nor a tile")
    width = int(tile["width"] or 0)
    if width >= 1 << int(tile["height"]):
        raise RuleError(f"{rest!r} asks for more than a tile holds")
    if tile["number"].startswith("x000/"):
        raise RuleError(f"{rest!r} writes its number with a leading zero")
    return Tile(rest.partition(".p/")[0], width, int(tile["height"]), tile["level"] == "data")
