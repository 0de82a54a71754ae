"""Version lists as values: reading and writing them, joining what the origin says with what is kept, choosing the latest.

Source: protocol rules 5 and 6 of the Go Modules Reference's "GOPROXY protocol", and cmd/go's modfetch and modload.
"""

from collections.abc import Iterable, Sequence

from phaleron.gomod import semver
from phaleron.gomod.pseudo import is_pseudo
from phaleron.gomod.version import Version

_INCOMPATIBLE = "+incompatible"


def encode_list(versions: Iterable[Version]) -> bytes:
    """Write a list: a version a line."""
    return "".join(f"{v}\n" for v in versions).encode()


def decode_list(body: bytes) -> tuple[Version, ...]:
    """Read a list that `encode_list` wrote; what was valid then is not checked again."""
    return tuple(str.__new__(Version, line) for line in body.decode().splitlines())


def union(listed: tuple[Version, ...], kept: Iterable[Version]) -> tuple[Version, ...]:
    """Join the origin's list, which is ascending, with the versions kept here, so that a deleted tag stays usable.

    Ascending; without pseudo-versions, which are in nobody's list. Where nothing is kept beyond the list, it is `listed` itself.
    """
    known = set(listed)
    more = [v for v in kept if v not in known and not is_pseudo(v)]
    return tuple(sorted((*listed, *more), key=semver.sort_key)) if more else listed


def latest_of(versions: Sequence[Version]) -> Version | None:
    """Choose what `@latest` stands for: the highest release, else the highest prerelease, else the highest pseudo-version."""
    releases = [v for v in versions if not semver.prerelease(v)]
    prereleases = [v for v in versions if semver.prerelease(v) and not is_pseudo(v)]
    for candidates in (releases, prereleases, versions):
        if candidates:
            return max(candidates, key=semver.sort_key)
    return None


def compatible(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Leave out the `+incompatible` ones."""
    return tuple(v for v in versions if not v.endswith(_INCOMPATIBLE))
