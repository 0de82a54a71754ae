"""The commands, put together. Each lives in its own file; what is heavy is imported by the command that needs it."""

import typer

from phaleron.cli.config import config
from phaleron.cli.doctor import doctor
from phaleron.cli.download import download
from phaleron.cli.list import list_modules
from phaleron.cli.serve import serve
from phaleron.cli.show import show
from phaleron.cli.version import version

# Plain help: rich's panels cost each start what they show once, and `main` shows errors itself.
app = typer.Typer(
    name="phaleron",
    help="A Go module proxy that keeps what it has served.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(download)
app.command("list")(list_modules)
app.command()(show)
app.command()(config)
app.command()(doctor)
app.command()(version)
