"""`phaleron download`: fetch modules into the store before anybody asks for them. How they are fetched is in `fetching`."""

import asyncio
import sys
from typing import Annotated

import typer

from phaleron.cli.failure import CommandFailed
from phaleron.cli.options import Flags, takes_settings
from phaleron.cli.targets import read_targets
from phaleron.telemetry import logs

_TARGETS = "What to download; - reads lines from stdin."


@takes_settings("--data", "--goproxy")
def download(
    flags: Flags,
    targets: Annotated[list[str], typer.Argument(metavar="MODULE@VERSION|go.mod|go.sum|-", help=_TARGETS)],
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=1000, help="Modules at one time.")] = 16,
) -> None:
    """Download modules into the store."""
    wanted = read_targets(targets)
    loaded = flags.load()
    level = loaded.settings.log.level
    logs.configure("warning" if level == "info" else level, "text")  # progress is told by other means
    for warning in loaded.warnings:
        print(f"phaleron: warning: {warning}", file=sys.stderr)

    from phaleron.cli.fetching import download_all  # the HTTP client and all: for those who fetch

    failed = asyncio.run(download_all(wanted, loaded, jobs))
    if failed:
        raise CommandFailed(*failed, f"{len(failed)} of {len(wanted)} could not be downloaded")
