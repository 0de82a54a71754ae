"""From layers to settings: the strongest value of each setting wins, all are checked, and each is known by its place.

Precedence: flags, environment, phaleron.toml, Go environment, default. Everything that is wrong is told at once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from phaleron.goenv import GoEnvironment, read_go_environment
from phaleron.gomod.errors import RuleError
from phaleron.settings.faults import SettingsError
from phaleron.settings.layers import (
    Given,
    Layer,
    Name,
    fields,
    from_environment,
    from_file,
    from_go,
    shape_of,
)
from phaleron.settings.model import Settings
from phaleron.settings.toml import find_file
from phaleron.sumdb.database import parse_gosumdb

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and how they came about."""

    settings: Settings
    places: Mapping[Name, str]
    """Where each setting's value comes from; `default` where nobody gave one."""
    warnings: tuple[str, ...]
    file: Path | None
    """The phaleron.toml that was read."""
    go: GoEnvironment


def load(
    flags: Layer, environ: Mapping[str, str], *, config: Path | None = None, is_self: Callable[[str, str], bool]
) -> Loaded:
    """Load the settings.

    `config` names the file to read instead of the usual ones; `is_self(goproxy, listen)` tells whether a GOPROXY list has
    an entry that is a server listening there. Raises SettingsError with all that is wrong.
    """
    faults: list[str] = []
    here, wrong = from_environment(environ)
    faults += wrong
    file = find_file(config, environ)
    filed: Layer = {}
    if file is not None:
        try:
            filed, wrong = from_file(file)
        except SettingsError as e:
            wrong = list(e.faults)
        faults += wrong
    listens = _listens([flags, here, filed])
    go = read_go_environment(environ)

    def ours(goproxy: str) -> bool:
        return any(is_self(goproxy, listen) for listen in listens)

    own_private = any(("go", "private") in layer for layer in (flags, here, filed))
    machine, warnings = from_go(go, ours, own_private=own_private)
    layers = [flags, here, filed, machine]
    given = {name: layer[name] for layer in reversed(layers) for name in layer}
    try:
        settings = _merge(layers)
    except ValidationError as e:
        faults += [_fault(error, given) for error in e.errors(include_url=False)]
    else:
        faults += _disagreements(settings, given, ours)
    if faults:
        raise SettingsError(sorted(faults, key=_by_place))
    places = {name: given[name].place if name in given else DEFAULT for name in fields()}
    return Loaded(settings, places, tuple(warnings), file, go)


def _by_place(fault: str) -> list[str | int]:
    """Sort lines of a file by their number."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", fault)]


def _listens(layers: list[Layer]) -> list[str]:
    """Give the addresses that this server listens at, from the layers that may say so."""
    addresses = []
    for name in (("web", "listen"), ("web", "admin_listen")):
        given = next((layer[name].value for layer in layers if name in layer), fields()[name].default)
        if isinstance(given, str) and given:
            addresses.append(given)
    return addresses


def _merge(layers: list[Layer]) -> Settings:
    """Have the library put the layers over each other, strongest first, and check the sum."""

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(InitSettingsSource(settings_cls, _nested(layer)) for layer in layers)

    merged = Layered()
    # An instance of the public class: it can be handed to other processes.
    return Settings.model_construct(**{name: getattr(merged, name) for name in Settings.model_fields})


def _nested(layer: Layer) -> dict[str, object]:
    tables: dict[str, dict[str, object]] = {}
    for (section, name), given in layer.items():
        tables.setdefault(section, {})[name] = given.value
    return dict(tables)


# The library's kinds of error about a value that has the right type; all others are about the type.
_BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {  # limits are what the library gives, of any type
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']:g}",
    "greater_than": lambda limits: f"must be more than {limits['gt']:g}",
    "less_than_equal": lambda limits: f"must be at most {limits['le']:g}",
    "string_too_short": lambda limits: "must not be empty",
    "literal_error": lambda limits: f"must be one of {limits['expected']}",
}


def _fault(error: ErrorDetails, given: Mapping[Name, Given]) -> str:
    section, name = str(error["loc"][0]), str(error["loc"][1])
    found = given[section, name]
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        reason = str(context["error"])
    elif error["type"] in _BOUNDS:
        reason = f"{_BOUNDS[error['type']](context)}, not {found.value!r}"
    else:
        reason = f"must be {shape_of(fields()[section, name]).words}, not {found.value!r}"
    return f"{found.place}: {section}.{name} {reason}"


def _disagreements(settings: Settings, given: Mapping[Name, Given], is_self: Callable[[str], bool]) -> list[str]:
    """Find what is wrong between settings, and in those whose rules are told by other parts."""
    faults = []

    def at(section: str, name: str) -> str:
        found = given.get((section, name))
        return f"{found.place}: {section}.{name}" if found else f"{section}.{name}"

    web = settings.web
    for has, lacks in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if getattr(web, has) and not getattr(web, lacks):
            faults.append(f"{at('web', has)} is set and web.{lacks} is not: they belong together")
    if web.admin_listen == web.listen and not web.listen.endswith(":0"):
        faults.append(f"{at('web', 'admin_listen')} is the same address as web.listen")
    if is_self(settings.go.proxy):
        faults.append(f"{at('go', 'proxy')} names this server itself: {settings.go.proxy}")
    try:
        parse_gosumdb(settings.go.sumdb)
    except RuleError as e:
        faults.append(f"{at('go', 'sumdb')}: {e}")
    return faults
