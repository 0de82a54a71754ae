"""Settings shown: as TOML with the place of each, as JSON, as a template to start from, and as the page docs/settings.md.

Credentials in URLs are masked in all of them.
"""

import json
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from phaleron.settings.layers import Name, fields, sections, shape_of, variable
from phaleron.settings.load import Loaded
from phaleron.settings.model import Settings
from phaleron.settings.units import DURATION, SIZE, show_duration, show_size
from phaleron.telemetry.secrets import mask


def value_of(settings: Settings, name: Name) -> object:
    """Give a setting's value."""
    value: object = getattr(getattr(settings, name[0]), name[1])
    return value


def as_toml(loaded: Loaded) -> str:
    """Write the effective settings; each line says where its value comes from."""
    lines = []
    for section, names in _by_section():
        pairs = [(name, f"{name[1]} = {_literal(fields()[name], value_of(loaded.settings, name))}") for name in names]
        width = min(48, max(len(text) for _, text in pairs))
        lines += [f"[{section}]", *(f"{text:<{width}}  # {loaded.places[name]}" for name, text in pairs), ""]
    return "\n".join(lines)


def as_json(loaded: Loaded) -> str:
    """Write the effective settings for programs: sizes in bytes, durations in seconds."""
    document = {
        f"{name[0]}.{name[1]}": {"value": _masked(value_of(loaded.settings, name)), "source": loaded.places[name]}
        for name in fields()
    }
    return json.dumps(document, indent=2) + "\n"


def as_template() -> str:
    """Write a phaleron.toml in which every setting stands with its meaning and default, commented out."""
    lines = ["# phaleron.toml. Every setting has its default here; take the # away to change one.", ""]
    for section, names in _by_section():
        lines += [f"# {_meaning(section)}", f"[{section}]"]
        for name in names:
            field = fields()[name]
            lines += [f"# {field.description}", f"# {name[1]} = {_literal(field, _plain_default(field))}", ""]
    return "\n".join(lines)


def as_markdown() -> str:
    """Write docs/settings.md."""
    lines = [_PREFACE]
    for section, names in _by_section():
        lines += [f"## [{section}]", "", _meaning(section), ""]
        lines += ["| setting | environment | default | what |", "|---|---|---|---|"]
        for name in names:
            field = fields()[name]
            meaning = f"{field.description}{_bounds(field)}".replace("|", "\\|")
            lines.append(f"| `{name[1]}` | `{variable(name)}` | {_default_words(field)} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def _by_section() -> Iterator[tuple[str, list[Name]]]:
    for section in sections():
        yield section, [name for name in fields() if name[0] == section]


def _meaning(section: str) -> str:
    return (sections()[section].__doc__ or "").strip()


def _masked(value: object) -> object:
    return mask(value) if isinstance(value, str) else value


def _literal(field: FieldInfo, value: object) -> str:
    """Write a value as TOML, with units where the setting takes them."""
    words = shape_of(field).words
    if words == SIZE and isinstance(value, int):
        text = show_size(value)
        return text if text.isdigit() else f'"{text}"'
    if words == DURATION and isinstance(value, (int, float)):
        return f'"{show_duration(value)}"'
    # A JSON string, number or boolean is a TOML one too.
    return json.dumps(_masked(value), ensure_ascii=False)


def _plain_default(field: FieldInfo) -> object:
    return "" if field.default_factory is not None else field.default


def _default_words(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    return "" if field.default == "" else f"`{_literal(field, field.default)}`"


def _bounds(field: FieldInfo) -> str:
    """Say the bounds of a number, as it would be written."""
    limits = {key: getattr(part, key) for part in field.metadata for key in ("ge", "gt", "le") if hasattr(part, key)}
    if not limits:
        return ""
    low = f"from {_literal(field, limits['ge'])}" if "ge" in limits else f"more than {_literal(field, limits['gt'])}"
    return f" {low[0].upper()}{low[1:]} to {_literal(field, limits['le'])}.".replace('"', "")


_PREFACE = """# Settings

<!-- Made by `phaleron config --markdown` from src/phaleron/settings/model.py. -->

Each setting has one name in `phaleron.toml`, `[section] name`, and one in the environment, `PHALERON_SECTION_NAME`. What people
type has a flag: `--listen`, `--data`, `--workers`, `--tls-cert`, `--tls-key`, `--path-prefix`, `--admin-listen`, `--goproxy`
(`go.proxy`), `--log-level`, `--log-format`.

A value comes from the first of these that gives one:

1. the flag;
2. the environment; an empty variable is one that is not set;
3. `phaleron.toml`: the file that `--config` or `PHALERON_CONFIG` names, else the first there is of `./phaleron.toml`,
   `phaleron/phaleron.toml` in the user's configuration directory (on Linux `~/.config`), and `/etc/phaleron/phaleron.toml`;
4. for `[go]`, the machine's Go environment, read without running go: the environment (`GOPROXY`, …), the user's go env file
   (`go env -w` writes it), `$GOROOT/go.env`. A `GOPROXY` that names this very server is skipped for the next of the three;
5. the default.

`phaleron config` shows the effective values and where each comes from; `phaleron config --defaults` prints a file to start from.
A setting that does not exist or has a wrong value stops the start with the file and the line.

Durations are numbers of seconds or texts such as `"30s"`, `"1h30m"`; sizes are numbers of bytes or texts such as `"64MiB"`
(1024) and `"64MB"` (1000). `PHALERON_DEBUG=1` shows a traceback where a command fails.
"""
