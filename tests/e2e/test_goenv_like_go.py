"""Our reading of the Go environment held against `go env`, over files that people and programs have bent."""

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from phaleron.goenv import GoEnvironment, read_go_environment
from tests.require import require_tool

GO = shutil.which("go")
NAMES = ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOVCS", "GOAUTH")

USER_FILES = {
    "none": None,
    "plain": b"GOPROXY=https://user.example,direct\nGOPRIVATE=*.corp.example\n",
    "twice": b"GOPROXY=https://a.example\nGOPROXY=https://b.example\n",
    "empty": b"GOSUMDB=\nGOPRIVATE=\n",
    "bent": b"# x\n\nGOPROXY\n GOPROXY=https://a.example\ngoproxy=x\nGONOPROXY= a, b \n=\n_X=1\nGONOSUMDB=x=y",
    "crlf": b"GOPROXY=https://a.example\r\nGOSUMDB=sum.example\r\n",
    "specific": b"GOPRIVATE=a\nGONOPROXY=b\nGONOSUMDB=c\nGOVCS=*:off\nGOAUTH=off\n",
}
GOROOT_FILES = {
    "plain": b"# comment\nGOPROXY=https://goroot.example,direct\nGOSUMDB=sum.example\n",
    "twice": b"GOPROXY=https://one.example\nGOPROXY=https://two.example\nGOSUMDB=\nGOSUMDB=x\n",
}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "proxy": {"GOPROXY": "https://environment.example"},
    "empty": {"GOPROXY": "", "GONOPROXY": "", "GOPRIVATE": "environment.example"},
}


def ours(go: GoEnvironment) -> dict[str, str]:
    found = {name: value.text if (value := go.get(name)) else "" for name in NAMES}
    for name in ("GONOPROXY", "GONOSUMDB"):
        found[name] = found[name] or found["GOPRIVATE"]
    found["GOAUTH"] = found["GOAUTH"] or "netrc"
    return found


@pytest.fixture(scope="module")
def real_goroot() -> Path:
    told = subprocess.run([require_tool("go"), "env", "GOROOT"], check=True, capture_output=True, text=True, cwd="/")
    return Path(told.stdout.strip())


def theirs(environ: dict[str, str]) -> dict[str, str]:
    assert GO is not None
    told = subprocess.run(
        [GO, "env", "-json", *NAMES], check=True, capture_output=True, text=True, cwd="/", env=environ
    )
    found: dict[str, str] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize(
    ("user", "distribution", "environment"), list(itertools.product(USER_FILES, GOROOT_FILES, ENVIRONMENTS))
)
def test_values_are_those_of_go_env(
    tmp_path: Path, real_goroot: Path, user: str, distribution: str, environment: str
) -> None:
    # A GOROOT of our own around the machine's: its go.env is ours, all else is linked.
    goroot = tmp_path / "goroot"
    goroot.mkdir()
    for part in real_goroot.iterdir():
        if part.name != "go.env":
            (goroot / part.name).symlink_to(part)
    (goroot / "go.env").write_bytes(GOROOT_FILES[distribution])
    content = USER_FILES[user]
    if content is not None:
        (tmp_path / "env").write_bytes(content)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GOENV": str(tmp_path / "env"),
        "GOROOT": str(goroot),
        "GOTOOLCHAIN": "local",
        **ENVIRONMENTS[environment],
    }
    assert ours(read_go_environment(environ)) == theirs(environ)


@pytest.mark.parametrize("goenv", ["", "off"])
def test_the_machines_own_environment_is_read_as_go_reads_it(tmp_path: Path, real_goroot: Path, goenv: str) -> None:
    """GOROOT is found around the go on PATH, and the user's file below the configuration directory."""
    (tmp_path / ".config/go").mkdir(parents=True)
    (tmp_path / ".config/go/env").write_text("GOPRIVATE=*.corp.example\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GOENV": goenv, "GOTOOLCHAIN": "local"}
    go = read_go_environment(environ)
    assert go.goroot == real_goroot
    assert ours(go) == theirs(environ)
    assert (go.get("GOPRIVATE") is None) == (goenv == "off")
