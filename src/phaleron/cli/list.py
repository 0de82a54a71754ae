"""`phaleron list`: which modules are kept here, or which versions of one."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from phaleron.cli.failure import WRONG_USAGE, CommandFailed
from phaleron.cli.options import Flags, Json, takes_settings
from phaleron.cli.stored import kept_store
from phaleron.gomod.errors import RuleError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.semver import key as precedence
from phaleron.store.records import Catalog

_PAGE = 1000


@takes_settings("--data")
def list_modules(
    flags: Flags,
    module: Annotated[str | None, typer.Argument(metavar="MODULE", help="List this module's versions.")] = None,
    json_: Json = False,
) -> None:
    """List the modules that are kept, or the versions of one."""
    try:
        path = None if module is None else ModulePath(module)
    except RuleError as e:
        raise CommandFailed(str(e), exit_code=WRONG_USAGE) from e
    directory = flags.load().settings.store.directory
    asyncio.run(_list_modules(directory, json_) if path is None else _list_versions(directory, path, json_))


async def _list_modules(directory: Path, as_json: bool) -> None:
    async with kept_store(directory) as store:
        async for path, count in _modules(store.catalog):
            if as_json:
                print(json.dumps({"path": path, "versions": count}))
            else:
                print(f"{path}  {count} version{'s' if count != 1 else ''}")


async def _modules(catalog: Catalog) -> AsyncIterator[tuple[str, int]]:
    """Count the complete versions of each module; the pages are in order of modules."""
    after = ("", "")
    current, count = "", 0
    while page := await catalog.page(after, _PAGE):
        for path, version in page:
            if path != current:
                if current:
                    yield current, count
                current, count = path, 0
            count += 1
            after = (path, version)
    if current:
        yield current, count


async def _list_versions(directory: Path, path: ModulePath, as_json: bool) -> None:
    async with kept_store(directory) as store:
        files = await store.catalog.files(path)
        complete = set(await store.catalog.versions(path))
    if not files:
        raise CommandFailed(f"{path}: nothing is kept of it in {directory}")
    for version in sorted({row.version for row in files}, key=precedence):
        kinds = [row.kind for row in files if row.version == version]
        if as_json:
            print(json.dumps({"version": version, "complete": version in complete, "files": sorted(kinds)}))
        else:
            print(version if version in complete else f"{version}  (only {', '.join(sorted(kinds))})")
