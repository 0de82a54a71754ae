"""The machine's Go environment, read as the go command reads it, without running go.

In come the process environment and the machine's files; out come the values of GOPROXY and its kin, each with the place that it
was found in. Layers, strongest first: the environment, the user's go env file (`go env -w` writes it), `$GOROOT/go.env` (comes
with the distribution). What the values mean is not decided here.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Where distributions put a GOROOT, for machines on which no `go` is on PATH: the official archive and images, Alpine and Arch,
# Fedora, Debian (which splits a GOROOT: go.env is below /usr/share), Homebrew. The highest version of a pattern comes first.
_COMMON_ROOTS = (
    "usr/local/go",
    "usr/lib/go",
    "usr/lib/golang",
    "usr/share/go-*",
    "usr/lib/go-*",
    "opt/homebrew/opt/go/libexec",
    "usr/local/opt/go/libexec",
)


@dataclass(frozen=True, slots=True)
class GoValue:
    """A value, and where it was found: `environment variable NAME` or `FILE:LINE`."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the places that values come from."""

    place: str
    """`environment`, or the file's name."""
    values: Mapping[str, GoValue]


@dataclass(frozen=True, slots=True)
class GoEnvironment:
    """What was found, strongest layer first."""

    layers: tuple[Layer, ...]
    goroot: Path | None
    """The directory whose go.env was read, or would have been; None where no Go was found."""

    def found(self, name: str) -> tuple[GoValue, ...]:
        """Give every value of a variable, strongest first. One that is empty in a file hides the weaker ones."""
        values: list[GoValue] = []
        for layer in self.layers:
            value = layer.values.get(name)
            if value is not None:
                if not value.text:
                    break
                values.append(value)
        return tuple(values)

    def get(self, name: str) -> GoValue | None:
        """Give a variable's value, or None where it is not set or empty."""
        return next(iter(self.found(name)), None)


def read_go_environment(environ: Mapping[str, str], *, root: Path = Path("/")) -> GoEnvironment:
    """Read the Go environment. What cannot be read is not there, as for the go command; nothing is raised.

    `root` is where the search for common places of GOROOT starts.
    """
    user_name = user_file(environ)
    user = read_env_file(user_name) if user_name is not None else {}
    goroot = find_goroot(environ, user, root=root)
    here = {
        k: GoValue(_printable(v), f"environment variable {k}") for k, v in environ.items() if v and k.startswith("GO")
    }
    layers = [Layer("environment", here)]
    if user_name is not None:
        layers.append(Layer(str(user_name), user))
    if goroot is not None:
        name = _distribution_file(goroot, root)
        layers.append(Layer(str(name), read_env_file(name, first_wins=True)))
    return GoEnvironment(tuple(layers), goroot)


def _printable(text: str) -> str:
    """Replace what the environment holds of bytes that are no UTF-8, as is done for files."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Say where `go env -w` writes: GOENV, else `go/env` in the user's configuration directory; None for GOENV=off.

    Source: `go help environment`, and Go's os.UserConfigDir, which gives nothing for a relative XDG_CONFIG_HOME.
    """
    named = environ.get("GOENV", "")
    if named:
        return None if named == "off" else Path(named)
    home = environ.get("HOME", "")
    if sys.platform == "darwin":
        return Path(home, "Library/Application Support/go/env") if home else None
    configured = environ.get("XDG_CONFIG_HOME", "")
    if configured:
        return Path(configured, "go/env") if configured.startswith("/") else None
    return Path(home, ".config/go/env") if home else None


def read_env_file(name: Path, *, first_wins: bool = False) -> dict[str, GoValue]:
    """Read `KEY=VALUE` lines as cmd/go does: a line that does not start with an upper-case letter, or has no `=`, is none.

    Values are taken as they stand, blanks and quotes included. Of two lines for one key the last counts; with `first_wins`,
    as in a distribution's go.env, the first.
    """
    try:
        data = name.read_bytes()
    except OSError:
        return {}
    values: dict[str, GoValue] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        raw_key, equals, raw_value = line.partition(b"=")
        if not equals or not b"A" <= line[:1] <= b"Z":
            continue
        key = raw_key.decode(errors="replace")
        if not (first_wins and key in values):
            values[key] = GoValue(raw_value.decode(errors="replace"), f"{name}:{number}")
    return values


def find_goroot(environ: Mapping[str, str], user: Mapping[str, GoValue], *, root: Path = Path("/")) -> Path | None:
    """Find GOROOT: set in the user's file or the environment, else around the `go` on PATH, else in a common place.

    The go command knows its own; the common places are for machines on which it is installed and not on this PATH.
    """
    configured = user["GOROOT"].text if "GOROOT" in user else ""
    configured = configured or environ.get("GOROOT", "")
    if configured:
        return Path(os.path.normpath(configured))
    command = shutil.which("go", path=environ.get("PATH", ""))
    if command is not None:
        absolute = Path(command).absolute()
        for binary in (absolute, Path(os.path.realpath(absolute))):
            # GOROOT/bin/go, or GOROOT/bin/GOOS_GOARCH/go where it was cross-compiled
            for place in binary.parents[1:3]:
                if (place / "pkg" / "tool").is_dir():
                    return place
    for pattern in _COMMON_ROOTS:
        for place in sorted(root.glob(pattern), key=_by_version, reverse=True):
            if (place / "go.env").is_file():
                return place
    return None


def _by_version(place: Path) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", place.name))


def _distribution_file(goroot: Path, root: Path) -> Path:
    """Say where a GOROOT's go.env is: Debian may keep it with the shared files of the same version."""
    name = goroot / "go.env"
    shared = root / "usr/share" / goroot.name / "go.env"
    return shared if not name.exists() and goroot.name.startswith("go-") and shared.is_file() else name
