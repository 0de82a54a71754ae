"""The options that commands share: which settings have a flag, and how a command takes them.

A flag that stands for a setting is given on as text: `phaleron.settings` reads and checks it as it does all others. A command
that needs settings is written as a function of `Flags` and its own options; `takes_settings` adds the flags.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from phaleron.cli.origins import names_server
from phaleron.settings import Loaded, load
from phaleron.settings.layers import Layer, Name, from_text


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag that stands for a setting."""

    setting: Name
    metavar: str
    help: str


FLAGS: Mapping[str, Flag] = {
    "--listen": Flag(("web", "listen"), "HOST:PORT", "Where to listen; also unix:PATH. Port 0 picks a free one."),
    "--data": Flag(("store", "data"), "DIR", "The data directory."),
    "--workers": Flag(("web", "workers"), "N", "Server processes."),
    "--tls-cert": Flag(("web", "tls_cert"), "FILE", "Certificate chain, PEM."),
    "--tls-key": Flag(("web", "tls_key"), "FILE", "The certificate's private key, PEM."),
    "--path-prefix": Flag(("web", "path_prefix"), "/PATH", "Serve everything below this path."),
    "--admin-listen": Flag(("web", "admin_listen"), "HOST:PORT", "A listener of its own for the operators' routes."),
    "--goproxy": Flag(("go", "proxy"), "LIST", "Upstream proxies, written as GOPROXY is."),
    "--log-level": Flag(("log", "level"), "LEVEL", "debug, info, warning or error."),
    "--log-format": Flag(("log", "format"), "FORMAT", "auto, json or text."),
}


@dataclass(frozen=True, slots=True)
class Flags:
    """What was typed. The settings are loaded when they are asked for."""

    config: Path | None
    given: Mapping[str, str]
    """The text of each flag that was typed."""

    def load(self) -> Loaded:
        """Load the settings. Raises SettingsError."""
        layer: Layer = {FLAGS[f].setting: from_text(FLAGS[f].setting, text, f) for f, text in self.given.items()}
        return load(layer, os.environ, config=self.config, is_self=names_server)


def _debug(value: bool) -> None:
    if value:
        os.environ["PHALERON_DEBUG"] = "1"


Debug = Annotated[bool, typer.Option("--debug", callback=_debug, is_eager=True, help="Show a traceback on failure.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
_Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Read this phaleron.toml.")]


def takes_settings(*flags: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function whose first parameter is `Flags`: it gets these flags, `--config` and `--debug`."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        names = {flag.removeprefix("--").replace("-", "_"): flag for flag in flags}

        def command(**given: Any) -> None:  # typer calls by name, with what each option's own type says
            given.pop("debug")  # has had its effect when it was parsed
            typed = {flag: given.pop(name) for name, flag in names.items()}
            function(Flags(given.pop("config"), {f: t for f, t in typed.items() if t is not None}), **given)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = [_parameter(name, _annotation(flag), None) for name, flag in names.items()]
        shared += [_parameter("config", _Config, None), _parameter("debug", Debug, False)]
        parameters = [*own, *shared]
        command.__name__ = function.__name__
        command.__doc__ = function.__doc__
        command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it, typing does not know it
        return command

    return decorate


def _annotation(flag: str) -> object:
    option = typer.Option(flag, metavar=FLAGS[flag].metavar, help=FLAGS[flag].help)
    return Annotated[str | None, option]


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
