"""The layers that settings come from, each as values with their places: flags, environment, phaleron.toml, Go environment.

A layer knows nothing of the others. Names that are no setting are kept, with their place, so that all faults can be told
at once.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from pydantic.fields import FieldInfo

from phaleron.goenv import GoEnvironment
from phaleron.settings.model import Section, Settings, Shape
from phaleron.settings.toml import read_file
from phaleron.telemetry.secrets import mask

Name = tuple[str, str]
"""A setting's section and name."""

PREFIX = "PHALERON_"
# Read by the program itself or by its tests, and no settings.
_NOT_SETTINGS = frozenset({"PHALERON_CONFIG", "PHALERON_DEBUG", "PHALERON_REQUIRE_ALL"})
# What Kubernetes sets in every container of a namespace that has a service called phaleron or phaleron-….
_SERVICE_LINK = re.compile(
    r"PHALERON_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
).fullmatch

_GO_NAMES = {
    "proxy": "GOPROXY",
    "private": "GOPRIVATE",
    "noproxy": "GONOPROXY",
    "nosumdb": "GONOSUMDB",
    "sumdb": "GOSUMDB",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, and where: `phaleron.toml:3`, `PHALERON_WEB_LISTEN`, `--listen`."""

    value: object
    place: str


Layer = dict[Name, Given]


def sections() -> dict[str, type[Section]]:
    """Give the sections by name."""
    found: dict[str, type[Section]] = {}
    for name, field in Settings.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            raise TypeError(f"{name} is no section")
        found[name] = field.annotation
    return found


def fields() -> dict[Name, FieldInfo]:
    """Give every setting, in the order of the model."""
    return {(section, name): field for section, kind in sections().items() for name, field in kind.model_fields.items()}


def shape_of(field: FieldInfo) -> Shape:
    """Say what kind of value a setting takes."""
    return next(part for part in field.metadata if isinstance(part, Shape))


def variable(name: Name) -> str:
    """Give the environment variable of a setting."""
    return f"{PREFIX}{name[0]}_{name[1]}".upper()


def from_text(name: Name, text: str, place: str) -> Given:
    """Read a value that was given as text. What cannot be read stays text, and is refused with all the others."""
    return Given(shape_of(fields()[name]).from_text(text), place)


def from_environment(environ: Mapping[str, str]) -> tuple[Layer, list[str]]:
    """Read the environment; give the layer and the faults. An empty variable is one that is not set."""
    names = {variable(name): name for name in fields()}
    layer: Layer = {}
    faults = []
    for key in sorted(environ):
        text = environ[key]
        if not key.startswith(PREFIX) or not text or key in _NOT_SETTINGS:
            continue
        if key in names:
            layer[names[key]] = from_text(names[key], text, key)
        elif not _is_service_link(key, text):
            faults.append(f"{key}: no setting has this environment variable{nearest(key, [*names, *_NOT_SETTINGS])}")
    return layer, faults


def _is_service_link(key: str, text: str) -> bool:
    # `…_PORT` is a URL there; `PHALERON_WEB_PORT=3000` is somebody's guess at a setting.
    return bool(_SERVICE_LINK(key)) or (key.endswith("_PORT") and "://" in text)


def from_file(name: Path) -> tuple[Layer, list[str]]:
    """Read phaleron.toml; give the layer and the faults. Raises SettingsError for what is no TOML."""
    document, lines = read_file(name)
    known = fields()
    kinds = sections()
    layer: Layer = {}
    faults = []
    for section, table in document.items():
        place = f"{name}:{lines[section,]}"
        if section not in kinds:
            full = [*kinds, *(f"{s}.{n}" for s, n in known)]
            what = "section" if isinstance(table, dict) else "setting"
            faults.append(f"{place}: unknown {what} {section}{_owner(section) or nearest(section, full)}")
            continue
        if not isinstance(table, dict):
            faults.append(f"{place}: {section} must be a section, [{section}], not {table!r}")
            continue
        for key, value in table.items():
            place = f"{name}:{lines[section, key]}"
            if (section, key) in known:
                layer[section, key] = Given(value, place)
            else:
                near = nearest(f"{section}.{key}", [f"{s}.{n}" for s, n in known])
                faults.append(f"{place}: unknown setting {section}.{key}{_owner(key) or near}")
    return layer, faults


def nearest(word: str, names: Iterable[str]) -> str:
    """Suggest the name that somebody may have meant."""
    # What all names have in common says nothing about their likeness.
    short = {name.removeprefix(PREFIX): name for name in names}
    found = difflib.get_close_matches(word.removeprefix(PREFIX), list(short), n=1)
    return f" (did you mean {short[found[0]]}?)" if found else ""


def _owner(key: str) -> str:
    """Say which section has a setting of this name."""
    owners = [f"{section}.{name}" for section, name in fields() if name == key]
    return f" (did you mean {owners[0]}?)" if owners else ""


def from_go(go: GoEnvironment, is_self: Callable[[str], bool], *, own_private: bool) -> tuple[Layer, list[str]]:
    """Take what the Go environment says; give the layer and warnings.

    `own_private`: go.private is set in a stronger layer. The machine's narrower GONOPROXY and GONOSUMDB do not hold then.

    A GOPROXY that names this server is skipped for that of the next weaker place: `go env -w GOPROXY=http://localhost:3000`
    is how clients are told of us, and our own upstream is what was there before.
    """
    layer: Layer = {}
    warnings = []
    for name, key in _GO_NAMES.items():
        found = go.found(key)
        if own_private and key in ("GONOPROXY", "GONOSUMDB"):
            continue
        if key == "GOPROXY":
            ours = list(takewhile(lambda v: is_self(v.text), found))
            warnings += [f"GOPROXY={mask(v.text)} ({v.place}) names this server itself and is skipped" for v in ours]
            found = found[len(ours) :]
        if found:
            layer["go", name] = Given(found[0].text, found[0].place)
    return layer, warnings
