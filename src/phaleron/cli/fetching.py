"""Fetching many modules, some at one time: through the mirror and the store that the server has, in this process.

Beside a running server on the same directory the two share their fetches. What a go.sum expects is held against what is stored.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from phaleron.cli.progress import Progress, progress_for
from phaleron.cli.targets import Target
from phaleron.cli.wiring import Parts, open_parts
from phaleron.errors import PhaleronError, Untrusted
from phaleron.gomod.errors import RuleError
from phaleron.gomod.version import Version, check
from phaleron.settings import Loaded
from phaleron.store.blob import Blob
from phaleron.store.records import Kind, kind_name

_TOOLCHAIN = "golang.org/toolchain"


@dataclass(slots=True)
class _Run:
    parts: Parts
    progress: Progress
    places: asyncio.Semaphore
    failed: list[str] = field(default_factory=list)


async def download_all(wanted: Sequence[Target], loaded: Loaded, jobs: int) -> list[str]:
    """Download all, `jobs` at one time; give a line for each that failed."""
    # Zips are to be seen as they come, so they are not waited for as a whole.
    async with open_parts(loaded, first_byte_s=0.2) as parts:
        with progress_for(len(wanted)) as progress:
            run = _Run(parts, progress, asyncio.Semaphore(jobs))
            async with asyncio.TaskGroup() as group:
                for target in wanted:
                    group.create_task(_one(run, target))
    return sorted(run.failed)


async def _one(run: _Run, target: Target) -> None:
    async with run.places:
        name = f"{target.path}@{target.version}"
        try:
            version = await _fetch(run, target)
        except (PhaleronError, RuleError) as e:
            line = " ".join(str(e).split())
            run.failed.append(line if line.startswith(str(target.path)) else f"{name}: {line}")
            run.progress.failed(name)
        else:
            run.progress.done(name if version == target.version else f"{name} is {version}")


async def _fetch(run: _Run, target: Target) -> Version:
    """Fetch a target's files and hold them against the hashes that are expected."""
    mirror = run.parts.mirror
    version = target.version
    if not isinstance(version, Version):
        answer = await (mirror.latest(target.path) if version == "latest" else mirror.info(target.path, version))
        version = answer.value.version
        check(target.path, version)
    if target.path != _TOOLCHAIN:  # it has no .info and no .mod that anybody asks for
        if target.whole:
            await mirror.info(target.path, version)
        await mirror.mod(target.path, version)
        await _compare(run, target, version, "mod", target.mod_h1)
    if target.whole:
        await _zip(run, target, version)
        await _compare(run, target, version, "zip", target.zip_h1)
    return version


async def _zip(run: _Run, target: Target, version: Version) -> None:
    async with run.parts.mirror.zip(target.path, version) as content:
        if isinstance(content, Blob):
            return
        with run.progress.arriving(f"{target.path}@{version}", content.size_bytes) as came:
            async for piece in content:
                came(len(piece))


async def _compare(run: _Run, target: Target, version: Version, kind: Kind, expected: str) -> None:
    if not expected:
        return
    row = await run.parts.store.catalog.file(target.path, version, kind)
    kept = row.h1 if row is not None else "nothing"
    if kept != expected:
        raise Untrusted(
            f"{target.path}@{version}: {target.place} expects {expected} of the {kind_name(kind)}, and {kept} is kept here"
        )
