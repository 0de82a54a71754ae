"""`@latest` of an origin that has no such file, for modules without tags: the newest commit that its list names.

That is what the go command makes of a plain tree of files, such as a GOMODCACHE. Where a list has tags `@latest` stays absent
here: it is chosen from all that is listed and kept, which no single origin knows. Source: modfetch's proxyRepo.latest.
"""

from collections.abc import Awaitable, Callable

from phaleron.errors import NotFound
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.sources.answers import pseudo_versions
from phaleron.sources.source import Answer

_MOST_TRIED = 10
"""A list may name versions of which there is only a go.mod; so many of them are passed over."""


async def newest_commit(
    path: ModulePath,
    read_list: Callable[[ModulePath], Awaitable[bytes]],
    info: Callable[[ModulePath, Version], Awaitable[Answer[Info]]],
) -> Answer[Info] | None:
    """Give the `.info` of the newest pseudo-version that has one; None where there is none, or a tag.

    `read_list` and `info` ask the origin for its list's bytes and for an `.info`. Raises what they raise but NotFound.
    """
    try:
        body = await read_list(path)
    except NotFound:
        return None
    for version in pseudo_versions(path, body)[:_MOST_TRIED]:
        try:
            return await info(path, version)
        except NotFound:
            continue
    return None
