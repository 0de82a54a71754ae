"""What a go command does behind Phaleron: the forms of get, list and download, with modules of every kind."""

import concurrent.futures
import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.require import require_tool
from tests.world.gocmd import Go, machine_go_env
from tests.world.modules import PSEUDO, bodies, info
from tests.world.server import Phaleron, serving
from tests.world.upstream import Upstream

UPPER = "example.com/Upper/Kind"
INCOMPATIBLE = "example.com/old"
DEEP = "example.com/deep"
GOPKG = "gopkg.in/pkg.v2"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    require_tool("go")
    with Upstream() as upstream:
        upstream.bodies |= bodies(UPPER, ("v1.0.0", "v1.1.0-RC1", "v1.1.0", PSEUDO))
        upstream.bodies["/example.com/!upper/!kind/@v/main.info"] = info(
            PSEUDO, Origin={"VCS": "git", "Ref": "refs/heads/main"}
        )
        upstream.bodies |= bodies(INCOMPATIBLE, ("v1.0.0", "v2.0.0+incompatible"), mod=b"module example.com/old\n")
        upstream.bodies |= bodies("example.com/new/v2", ("v2.0.0", "v2.1.0"))
        upstream.bodies |= bodies(GOPKG, ("v2.1.0",))
        upstream.bodies |= bodies(DEEP, {"v1.0.0": {UPPER: "v1.0.0", GOPKG: "v2.1.0", "example.com/new/v2": "v2.0.0"}})
        yield upstream


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phaleron]:
    with serving(tmp_path_factory.mktemp("go") / "data", upstream.url) as server:
        yield server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/main\n\ngo 1.21\n")
    return folder


@pytest.fixture
def go(server: Phaleron, tmp_path: Path) -> Iterator[Go]:
    go = Go(tmp_path / "home", goproxy=server.url)
    yield go
    go.forget()


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (f"{UPPER}@latest", f"{UPPER} v1.1.0"),
        (UPPER, f"{UPPER} v1.1.0"),
        (f"{UPPER}@v1.0.0", f"{UPPER} v1.0.0"),
        (f"{UPPER}@v1.1.0-RC1", f"{UPPER} v1.1.0-RC1"),
        (f"{UPPER}@main", f"{UPPER} {PSEUDO}"),
        (f"{UPPER}@v1", f"{UPPER} v1.1.0"),
        (f"{UPPER}@<v1.1.0", f"{UPPER} v1.0.0"),
        (f"{INCOMPATIBLE}@latest", f"{INCOMPATIBLE} v2.0.0+incompatible"),
        ("example.com/new/v2@latest", "example.com/new/v2 v2.1.0"),
        (f"{GOPKG}@latest", f"{GOPKG} v2.1.0"),
        (f"{DEEP}@v1.0.0", f"{DEEP} v1.0.0"),
    ],
)
def test_get(go: Go, work: Path, asked: str, got: str) -> None:
    done = go.run("get", asked, cwd=work)
    assert done.returncode == 0, done.stderr
    assert got in (work / "go.mod").read_text()


def test_what_there_is_not_is_told_in_words(go: Go, work: Path) -> None:
    done = go.run("get", "example.com/absent@v1.0.0", cwd=work)
    assert done.returncode == 1
    assert "404" in done.stderr
    assert "not found:" in done.stderr


def test_a_client_with_direct_goes_on_itself(go: Go, work: Path) -> None:
    go.goproxy += ",direct"
    done = go.run("get", "example.com/absent@v1.0.0", cwd=work)
    assert done.returncode == 1
    assert "404" not in done.stderr
    assert "example.com/absent" in done.stderr


def test_versions_and_updates_are_listed(go: Go, work: Path) -> None:
    done = go.run("list", "-m", "-versions", UPPER, cwd=work)
    assert done.stdout.split() == [UPPER, "v1.0.0", "v1.1.0-RC1", "v1.1.0"], done.stderr
    assert go.run("get", f"{UPPER}@v1.0.0", cwd=work).returncode == 0
    done = go.run("list", "-m", "-u", UPPER, cwd=work)
    assert done.stdout.strip() == f"{UPPER} v1.0.0 [v1.1.0]", done.stderr


def test_a_build_finds_the_packages_of_nested_requirements(go: Go, work: Path) -> None:
    (work / "main.go").write_text(f'package main\n\nimport _ "{DEEP}"\n\nfunc main() {{}}\n')
    assert go.run("mod", "tidy", cwd=work).returncode == 0
    done = go.run("build", "-o", os.devnull, ".", cwd=work)
    assert done.returncode == 0, done.stderr
    assert go.run("mod", "verify", cwd=work).returncode == 0


def test_origin_is_handed_on(go: Go, work: Path) -> None:
    done = go.run("list", "-m", "-json", f"{UPPER}@main", cwd=work)
    assert json.loads(done.stdout)["Origin"]["Ref"] == "refs/heads/main", done.stderr


def test_twenty_commands_at_once_with_one_worker_and_with_two(upstream: Upstream, tmp_path: Path) -> None:
    names = [f"example.com/many/m{n}" for n in range(60)]
    for name in names:
        upstream.bodies |= bodies(name, ("v1.0.0",))
    main = "module example.org/main\n\ngo 1.21\n\nrequire (\n" + "".join(f"\t{n} v1.0.0\n" for n in names) + ")\n"

    def download(server: Phaleron, number: int) -> bytes:
        home = tmp_path / f"{server.process.pid}-{number}"
        folder = home / "work"
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(main)
        (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
        go = Go(home / "go", goproxy=server.url)
        done = go.run("mod", "download", cwd=folder)
        assert done.returncode == 0, done.stderr
        go.forget()
        return (folder / "go.sum").read_bytes()

    sums: set[bytes] = set()
    for workers in ("1", "2"):
        upstream.asked.clear()
        with (
            serving(tmp_path / f"data{workers}", upstream.url, "--workers", workers) as server,
            concurrent.futures.ThreadPoolExecutor(20) as pool,
        ):
            sums |= set(pool.map(download, [server] * 20, range(20)))
        assert {n for p, n in upstream.asked.items() if "/many/" in p} == {1}
        assert len(upstream.asked) == 180
    assert len(sums) == 1


def test_what_the_readme_says(upstream: Upstream, work: Path, tmp_path: Path) -> None:
    """`go env -w GOPROXY=<Phaleron>`, restart: it does not take itself for its upstream, but what $GOROOT/go.env says."""
    goroot = tmp_path / "goroot"
    goroot.mkdir()
    (goroot / "go.env").write_text(f"GOPROXY={upstream.url},direct\nGOSUMDB=off\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    go = Go(tmp_path / "home", goproxy="", sumdb="off")
    go.home.mkdir()
    environment = {"GOENV": go.environment["GOENV"], "GOROOT": str(goroot)}
    for _ in range(2):
        server = Phaleron(tmp_path / "data", "", environment=environment, listen=f"127.0.0.1:{port}")
        server.wait_ready()
        assert go.run("env", "-w", f"GOPROXY=http://localhost:{port}", cwd=work).returncode == 0
        done = go.run("get", f"{UPPER}@v1.0.0", cwd=work)
        assert done.returncode == 0, done.stderr
        assert server.stop() == 0
    assert "names this server itself" in server.log()


def test_live_through_the_machines_own_goproxy(work: Path, tmp_path: Path) -> None:
    require_tool("go")
    with serving(tmp_path / "data", machine_go_env("GOPROXY")) as server:
        go = Go(tmp_path / "home", goproxy=server.url, sumdb=machine_go_env("GOSUMDB"))
        done = go.run("get", "golang.org/x/text@v0.14.0", cwd=work)
        assert done.returncode == 0, done.stderr
        assert "golang.org/x/text v0.14.0 h1:" in (work / "go.sum").read_text()
        go.forget()


def test_a_chain_of_two_and_a_loop_of_two(upstream: Upstream, tmp_path: Path) -> None:
    with serving(tmp_path / "near", upstream.url) as far, serving(tmp_path / "far", far.url) as near:
        assert near.get("/example.com/!upper/!kind/@v/list").status == 200
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(tmp_path / "one", f"http://127.0.0.1:{port}") as one:
        two = Phaleron(tmp_path / "two", one.url, listen=f"127.0.0.1:{port}")
        two.wait_ready()
        got = one.get("/example.com/m/@v/list", timeout_s=8)
        assert (got.status, b"loop" in got.body) == (502, True)
        assert two.stop() == 0


def test_private_modules_are_never_asked_for(upstream: Upstream, tmp_path: Path) -> None:
    environment = {"GOPRIVATE": "secret.example,*.corp.example"}
    with serving(tmp_path / "data", upstream.url, environment=environment) as server:
        for path in (
            "secret.example/m/@v/list",
            "git.corp.example/m/@latest",
            "sumdb/x/lookup/secret.example/m@v1.0.0",
        ):
            assert server.get(f"/{path}").status == 404
        assert not any("secret" in path or "corp" in path for path in upstream.asked)
        assert b"private" in server.get("/secret.example/m/@v/list").body


def test_tls_and_a_path_prefix(upstream: Upstream, work: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    for n, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(str(tmp_path / "cert.pem"), append=n > 0)
    server = Phaleron(
        tmp_path / "data",
        upstream.url,
        *("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"), "--path-prefix", "/go"),
    )
    go = Go(tmp_path / "home", goproxy=f"{server.url}/go", extra={"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
    done = go.run("get", f"{DEEP}@v1.0.0", cwd=work)
    assert done.returncode == 0, done.stderr
    go.forget()
    assert server.stop() == 0


def test_a_unix_socket(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = Phaleron(tmp_path / "data", upstream.url, listen=f"unix:{path}")
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", "/gopkg.in/pkg.v2/@v/v2.1.0.zip")
    response = connection.getresponse()
    assert response.status == 200
    assert response.read() == upstream.bodies["/gopkg.in/pkg.v2/@v/v2.1.0.zip"]
    connection.close()
    assert server.stop() == 0
    assert not path.exists()


def test_a_file_tree_as_upstream(server: Phaleron, work: Path, tmp_path: Path) -> None:
    """What Phaleron stores is itself a tree that another can be put on."""
    for kind in ("info", "mod", "zip"):
        assert server.get(f"/gopkg.in/pkg.v2/@v/v2.1.0.{kind}").status == 200
    tree = Path(_data(server)) / "modules"
    with serving(tmp_path / "data", f"file://{tree}") as second:
        go = Go(tmp_path / "home", goproxy=second.url)
        done = go.run("get", f"{GOPKG}@latest", cwd=work)
        assert done.returncode == 0, done.stderr
        go.forget()


def _data(server: Phaleron) -> str:
    arguments = server.process.args
    assert isinstance(arguments, list)
    return str(arguments[arguments.index("--data") + 1])


def test_nobody_needs_a_go_binary_to_serve(upstream: Upstream, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path)}
    with serving(tmp_path / "data", upstream.url, environment=environment) as server:
        assert server.get("/gopkg.in/pkg.v2/@v/v2.1.0.zip").status == 200
        children = subprocess.run(
            ["ps", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=False
        )
        assert "git" not in children.stdout
