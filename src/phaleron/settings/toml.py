"""phaleron.toml: which file is read, what it says, and in which line.

The standard parser tells no lines, so statements are told apart by it: lines are gathered until they parse.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from phaleron.settings.faults import SettingsError

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")

Key = tuple[str, ...]


def find_file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Choose the configuration file: the named one, PHALERON_CONFIG's, else the first there is of the usual places."""
    if named is not None:
        return named
    if environ.get("PHALERON_CONFIG"):
        return Path(environ["PHALERON_CONFIG"])
    usual = (
        Path("phaleron.toml"),
        Path(platformdirs.user_config_dir("phaleron", appauthor=False), "phaleron.toml"),
        Path("/etc/phaleron/phaleron.toml"),
    )
    return next((name for name in usual if os.path.lexists(name)), None)


def read_file(name: Path) -> tuple[dict[str, object], dict[Key, int]]:
    """Read a file; give what it says, and the line of each key. Raises SettingsError for what is no TOML."""
    try:
        text = name.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise SettingsError([f"{name}: not UTF-8: byte {e.start}"]) from e
    except OSError as e:
        raise SettingsError([f"{name}: cannot be read: {e.strerror}"]) from e
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        found = _AT_LINE.search(str(e))
        line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
        raise SettingsError([f"{name}:{line}: not TOML: {_AT_LINE.sub('', str(e))}"]) from e
    return document, lines_of(text)


def lines_of(text: str) -> dict[Key, int]:
    """Give the line, from 1, of each key of a valid document; that of a table is where it is first spoken of."""
    lines: dict[Key, int] = {}
    header = statement = ""
    start = 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            said = tomllib.loads(header + statement)
        except tomllib.TOMLDecodeError:
            continue  # not whole yet
        for key in _keys(said):
            lines.setdefault(key, start)
        if statement.lstrip().startswith("["):
            header = statement
        statement, start = "", number + 1
    return lines


def _keys(table: Mapping[str, object], above: Key = ()) -> Iterator[Key]:
    for name, value in table.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from _keys(value, (*above, name))
