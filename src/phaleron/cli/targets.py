"""What is to be downloaded: `module@version`, the requirements of a go.mod, the lines of a go.sum, lines from stdin.

Strings become paths and versions here. A module that a go.sum names by its go.mod alone is wanted by its go.mod alone, as the
go command wants it.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from phaleron.cli.failure import WRONG_USAGE, CommandFailed
from phaleron.gomod.errors import RuleError
from phaleron.gomod.modfile import parse as parse_mod
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version, canonical_version, check


@dataclass(slots=True)
class Target:
    """A module to download. The hashes are what a go.sum expects; `""` where none does."""

    path: ModulePath
    version: Version | Query
    place: str
    """Who asked for it: `go.sum:3`, or the argument."""
    whole: bool = True
    """False: its go.mod alone."""
    zip_h1: str = ""
    mod_h1: str = ""


def read_targets(arguments: Iterable[str]) -> list[Target]:
    """Read all arguments; each target is named once. Raises CommandFailed with every fault."""
    found: dict[tuple[str, str], Target] = {}
    faults: list[str] = []
    for argument in arguments:
        try:
            for target in _read(argument):
                _join(found, target)
        except CommandFailed as e:
            faults += e.lines
    if faults:
        raise CommandFailed(*faults, exit_code=WRONG_USAGE)
    return list(found.values())


def _join(found: dict[tuple[str, str], Target], target: Target) -> None:
    known = found.setdefault((target.path, target.version), target)
    if known is target:
        return
    for mine, other in ((known.zip_h1, target.zip_h1), (known.mod_h1, target.mod_h1)):
        if mine and other and mine != other:
            raise CommandFailed(
                f"{target.place}: {target.path}@{target.version} has another hash than at {known.place}"
            )
    known.whole = known.whole or target.whole
    known.zip_h1 = known.zip_h1 or target.zip_h1
    known.mod_h1 = known.mod_h1 or target.mod_h1


def _read(argument: str) -> list[Target]:
    if argument == "-":
        return _lines(sys.stdin.read(), "stdin")
    name = Path(argument)
    if name.name == "go.mod" or name.suffix == ".mod":
        return _go_mod(name)
    if name.name == "go.sum" or name.suffix == ".sum":
        return _lines(_text(name), str(name))
    return [_module_at_version(argument, argument)]


def _text(name: Path) -> str:
    try:
        return name.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise CommandFailed(f"{name}: not UTF-8") from e
    except OSError as e:
        raise CommandFailed(f"{name}: cannot be read: {e.strerror}") from e


def read_module_version(text: str) -> tuple[ModulePath, Version | Query]:
    """Read one `module@version`. Raises CommandFailed."""
    try:
        target = _module_at_version(text, text)
    except CommandFailed as e:
        raise CommandFailed(*e.lines, exit_code=WRONG_USAGE) from e
    return target.path, target.version


def _module_at_version(text: str, place: str) -> Target:
    path, at, version = text.partition("@")
    if not at or not version:
        raise CommandFailed(f"{place}: {text!r} is no module@version, go.mod, go.sum or -")
    return _target(path, version, place)


def _target(path: str, version: str, place: str) -> Target:
    try:
        module = ModulePath(path)
        if canonical_version(version) != version:
            return Target(module, Query(version), place)
        exact = Version(version)
        check(module, exact)
        return Target(module, exact, place)
    except RuleError as e:
        raise CommandFailed(f"{place}: {e}") from e


def _lines(text: str, place: str) -> list[Target]:
    """Read lines of `module@version`, and those of a go.sum: `module version[/go.mod] h1:…`."""
    targets = []
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", "//")):
            continue
        at = f"{place}:{number}"
        try:
            match words:
                case [one]:
                    targets.append(_module_at_version(one, at))
                case [path, version, h1]:
                    targets.append(_sum_line(path, version, h1, at))
                case _:
                    faults.append(f"{at}: neither module@version nor a line of a go.sum")
        except CommandFailed as e:
            faults += e.lines
    if faults:
        raise CommandFailed(*faults)
    return targets


def _sum_line(path: str, version: str, h1: str, place: str) -> Target:
    target = _target(path, version.removesuffix("/go.mod"), place)
    known = h1 if h1.startswith("h1:") else ""  # other kinds of hash may come; they are not ours to judge
    if version.endswith("/go.mod"):
        target.whole, target.mod_h1 = False, known
    else:
        target.zip_h1 = known
    return target


def _go_mod(name: Path) -> list[Target]:
    """Read what a main module requires, with what stands in its place where it is replaced."""
    try:
        file = parse_mod(_text(name).encode(), strict=True, name=str(name))
    except RuleError as e:
        raise CommandFailed(str(e)) from e
    targets = []
    for required in file.require:
        path, version = required.path, required.version
        for replaced in file.replace:
            if replaced.old_path == path and replaced.old_version in ("", version):
                path, version = replaced.new_path, replaced.new_version
        if version:  # else a directory stands in its place
            targets.append(_target(path, version, str(name)))
    return targets
