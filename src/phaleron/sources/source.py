"""The one idea of the house: everything is a module source.

The go command asks a proxy four questions about a module path, and this protocol carries them through the whole program.
Whatever answers them can be served, and sources are plugged into each other. Implementations need not import this file.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A small answer, whole in memory."""

    value: T_co
    """What the body says, parsed."""
    body: bytes
    """The bytes to serve."""
    origin: str = ""
    """Who gave it: an upstream's base URL without credentials."""
    age_s: float = 0.0
    """How long ago the origin was asked, in seconds."""
    stale: bool = False
    """True where it is older than its freshness, because the origin is slow or down."""


class Content(Protocol):
    """A zip on its way or at rest. Iterating gives its bytes, in pieces, once."""

    @property
    def size_bytes(self) -> int | None:
        """The whole length; None where the origin does not say."""

    @property
    def origin(self) -> str:
        """Who gives it: an upstream's base URL without credentials."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class ModuleSource(Protocol):
    """Answers what a GOPROXY server is asked. Every call may raise any error of `phaleron.errors`, and no other.

    `hint` is the `origin` of an earlier answer for the same version: that origin is to be asked first.
    """

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        """List the versions of a module, ascending, without pseudo-versions. NotFound: there is no such module."""

    async def latest(self, path: ModulePath) -> Answer[Info]:
        """Give the version that `@latest` stands for."""

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        """Say which version a query stands for, and of when it is. For a Version, the answer's version is that one."""

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        """Give a version's go.mod, byte for byte."""

    def zip(self, path: ModulePath, version: Version, hint: str = "") -> AbstractAsyncContextManager[Content]:
        """Open a version's zip. Errors are raised on entering, or while iterating where it breaks on the way."""
