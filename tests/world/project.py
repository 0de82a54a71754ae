"""A real project with over 200 modules, and the upstream tree that an ordinary `go mod download` of it leaves.

The go.mod is a released program's own. The module cache's `cache/download` is a GOPROXY tree but for two things, which are mended
here: its lists name versions of which there is only a go.mod, and it has no `@latest`. Nothing of it is committed.
"""

import json
import shutil
from pathlib import Path

from tests.world.cache import cached
from tests.world.gocmd import Go, machine_go_env

MODULE, VERSION = "go.k6.io/k6", "v1.5.0"
_STAMP = f"1 {MODULE}@{VERSION}"


def write_project(folder: Path, go_mod: bytes) -> Path:
    """Write a main module with this go.mod and no go.sum."""
    folder.mkdir(parents=True)
    (folder / "go.mod").write_bytes(go_mod)
    (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    return folder


def _make(folder: Path) -> None:
    go = Go(folder / "go", goproxy=machine_go_env("GOPROXY"), sumdb=machine_go_env("GOSUMDB"))
    asked = go.run("mod", "download", "-json", f"{MODULE}@{VERSION}", cwd=_empty(folder / "empty"))
    assert asked.returncode == 0, asked.stderr
    go_mod = Path(json.loads(asked.stdout)["GoMod"]).read_bytes()
    (folder / "go.mod").write_bytes(go_mod)
    project = write_project(folder / "project", go_mod)
    done = go.run("mod", "download", cwd=project, timeout_s=900)
    assert done.returncode == 0, done.stderr
    shutil.copy(project / "go.sum", folder / "go.sum")
    tree = folder / "tree"
    shutil.move(folder / "go" / "mod" / "cache" / "download", tree)
    go.forget()
    shutil.rmtree(tree / "sumdb", ignore_errors=True)
    for at_v in tree.rglob("@v"):
        _mend(at_v)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _mend(at_v: Path) -> None:
    infos = sorted(
        p.stem for p in at_v.glob("*.info") if p.with_suffix(".zip").exists() and p.with_suffix(".mod").exists()
    )
    for left in (*at_v.glob("*.lock"), *at_v.glob("*.ziphash")):
        left.unlink()
    (at_v / "list").write_text("".join(f"{v}\n" for v in infos))
    if infos:
        (at_v.parent / "@latest").write_bytes((at_v / f"{infos[-1]}.info").read_bytes())


class Project:
    """The project: its go.mod, the go.sum that belongs to it, and its upstream's tree."""

    def __init__(self) -> None:
        self.folder = cached("project", _STAMP, _make)
        self.tree = self.folder / "tree"
        self.go_mod = (self.folder / "go.mod").read_bytes()
        self.go_sum = (self.folder / "go.sum").read_bytes()
