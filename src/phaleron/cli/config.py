"""`phaleron config`: the effective settings and where each comes from; a template; the settings' page of the docs."""

import sys
from typing import Annotated

import typer

from phaleron.cli.options import FLAGS, Flags, Json, takes_settings
from phaleron.settings.describe import as_json, as_markdown, as_template, as_toml


@takes_settings(*FLAGS)
def config(
    flags: Flags,
    json_: Json = False,
    defaults: Annotated[bool, typer.Option("--defaults", help="Write a commented phaleron.toml instead.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write docs/settings.md instead.")] = False,
) -> None:
    """Show the effective settings, each with where it came from."""
    if defaults or markdown:
        print(as_template() if defaults else as_markdown(), end="")
        return
    loaded = flags.load()
    for warning in loaded.warnings:
        print(f"phaleron: warning: {warning}", file=sys.stderr)
    print(as_json(loaded) if json_ else as_toml(loaded), end="")
