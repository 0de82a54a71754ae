"""A go command that verifies made-up modules through Phaleron, by a checksum database of the tests' own; toolchains included."""

import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require
from tests.world.database import NAME, Database, build_database, running
from tests.world.gocmd import Go, machine_go_env
from tests.world.modules import PSEUDO, bodies, module_zip
from tests.world.server import Phaleron, serving
from tests.world.upstream import Fault, Upstream

PLAIN = {f"example.com/many/m{n}": "v1.0.0" for n in range(40)}
KINDS = {
    "example.com/Upper/Kind": "v1.1.0-RC1",
    "example.com/old": "v2.0.0+incompatible",
    "example.com/new/v2": "v2.1.0",
    "example.com/pseudo": PSEUDO,
    "gopkg.in/pkg.v2": "v2.1.0",
}
TOOLCHAIN = "golang.org/toolchain"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_database(tmp_path_factory.mktemp("program"))


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        for path, version in {**PLAIN, **KINDS}.items():
            upstream.bodies |= bodies(path, (version,))
        upstream.faults[f"/sumdb/{NAME}/supported"] = Fault(status=404)
        yield upstream


@pytest.fixture
def database(program: Path, upstream: Upstream) -> Iterator[Database]:
    with running(program, upstream.url) as database:
        yield database


@pytest.fixture
def server(upstream: Upstream, database: Database, tmp_path: Path) -> Iterator[Phaleron]:
    environment = {"GOSUMDB": f"{database.key} {database.url}", "GONOSUMDB": "secret.example"}
    with serving(tmp_path / "data", upstream.url, environment=environment) as server:
        yield server


def download(goproxy: str, sumdb: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], bytes]:
    """Download all modules with an empty cache and no go.sum; give the outcome and the go.sum."""
    work = folder / "work"
    work.mkdir(parents=True)
    require_lines = "".join(f"\t{path} {version}\n" for path, version in {**PLAIN, **KINDS}.items())
    (work / "go.mod").write_text(f"module example.org/main\n\ngo 1.21\n\nrequire (\n{require_lines})\n")
    (work / "main.go").write_text("package main\n\nfunc main() {}\n")
    go = Go(folder / "go", goproxy=goproxy, sumdb=sumdb)
    done = go.run("mod", "download", "all", cwd=work)
    go.forget()
    go_sum = work / "go.sum"
    return done, go_sum.read_bytes() if go_sum.exists() else b""


def test_sums_are_the_same_as_without_a_proxy_between_and_outlive_database_and_upstream(
    upstream: Upstream, database: Database, server: Phaleron, tmp_path: Path
) -> None:
    done, straight = download(upstream.url, f"{database.key} {database.url}", tmp_path / "straight")
    assert done.returncode == 0, done.stderr
    assert straight.count(b"\n") == 2 * len(PLAIN) + 2 * len(KINDS)
    done, cold = download(server.url, database.key, tmp_path / "cold")
    assert (done.returncode, cold) == (0, straight), done.stderr
    database.stop()
    upstream.unplug()
    done, warm = download(server.url, database.key, tmp_path / "warm")
    assert (done.returncode, warm) == (0, straight), done.stderr
    # What is asked of the store alone is enough for it, too.
    done, kept = download(f"{server.url}/cached-only", database.key, tmp_path / "kept")
    assert (done.returncode, kept) == (0, straight), done.stderr
    upstream.plug()


def test_a_changed_module_is_noticed_by_the_client(
    upstream: Upstream, database: Database, server: Phaleron, tmp_path: Path
) -> None:
    done, _ = download(upstream.url, f"{database.key} {database.url}", tmp_path / "first")
    assert done.returncode == 0, done.stderr
    upstream.bodies |= bodies("example.com/many/m7", ("v1.0.0",), filling=b"evil")
    done, _ = download(server.url, database.key, tmp_path / "second")
    assert done.returncode != 0
    assert "SECURITY ERROR" in done.stderr


def test_what_gonosumdb_names_is_not_looked_up(server: Phaleron, upstream: Upstream, database: Database) -> None:
    assert server.get(f"/sumdb/{NAME}/supported").status == 200
    got = server.get(f"/sumdb/{NAME}/lookup/secret.example/m@v1.0.0")
    assert (got.status, b"GONOSUMDB" in got.body) == (403, True)
    assert not any("secret" in path for path in upstream.asked)
    for other in ("sum.example.org", "127.0.0.1:1", f"{NAME}.example.org"):
        assert server.get(f"/sumdb/{other}/supported").status == 404
        assert server.get(f"/sumdb/{other}/latest").status == 404


def test_a_toolchain_is_downloaded_verified_and_run(
    upstream: Upstream, database: Database, server: Phaleron, tmp_path: Path
) -> None:
    require(platform.system() != "Windows", "a system that runs shell scripts")
    version = f"v0.0.1-go1.99.1.{machine_go_env('GOOS')}-{machine_go_env('GOARCH')}"
    files = {
        "bin/go": b"#!/bin/sh\necho it is go1.99.1\n",
        "bin/gofmt": b"",
        "lib/wasm/go_js_wasm_exec": b"",
        "pkg/tool/t": b"",
        "src/_go.mod": b"module std\n",
    }
    zip_path = f"/{TOOLCHAIN}/@v/{version}.zip"
    upstream.bodies[zip_path] = module_zip(TOOLCHAIN, version, files)
    work = tmp_path / "work"
    work.mkdir()
    go = Go(tmp_path / "go", goproxy=server.url, sumdb=database.key, extra={"GOTOOLCHAIN": "go1.99.1"})
    done = go.run("version", cwd=work)
    assert (done.returncode, done.stdout) == (0, "it is go1.99.1\n"), done.stderr
    go.forget()
    # Complete with its zip alone.
    assert f'"Path":"{TOOLCHAIN}","Version":"{version}"'.encode() in server.get("/index").body
    database.stop()
    upstream.unplug()
    done = go.run("version", cwd=work)
    assert (done.returncode, done.stdout) == (0, "it is go1.99.1\n"), done.stderr
    go.forget()
    upstream.plug()
