"""A go command looks for the module of a package: it asks for every prefix of the path, and most of them do not exist.

Each of those must be 404, whatever stands behind the upstream in GOPROXY, or the command would stop there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require_tool
from tests.world.gocmd import Go
from tests.world.modules import bodies, go_mod, module_zip
from tests.world.server import Phaleron, serving
from tests.world.upstream import Fault, Upstream

MODULE = "example.com/Probe/lib/v2"
PACKAGE = f"{MODULE}/deep/er"
NESTED = "example.com/Probe/lib/v2/deep"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    require_tool("go")
    with Upstream() as upstream:
        upstream.bodies |= bodies(MODULE, ("v2.0.0", "v2.1.0"))
        for version in ("v2.0.0", "v2.1.0"):
            files = {"go.mod": go_mod(MODULE), "deep/er/er.go": b"package er\n"}
            upstream.bodies[f"/example.com/!probe/lib/v2/@v/{version}.zip"] = module_zip(MODULE, version, files)
        yield upstream


@pytest.fixture
def go(tmp_path: Path) -> Iterator[Go]:
    go = Go(tmp_path / "home")
    yield go
    go.forget()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/main\n\ngo 1.21\n")
    return folder


@pytest.mark.parametrize(
    ("behind", "asked"),
    [("", PACKAGE), (",direct", f"{PACKAGE}@latest"), ("|direct", f"{PACKAGE}@v2.1.0"), (",off", f"{PACKAGE}@upgrade")],
)
def test_the_longest_prefix_that_exists_is_found(
    upstream: Upstream, go: Go, work: Path, tmp_path: Path, behind: str, asked: str
) -> None:
    with serving(tmp_path / "data", upstream.url + behind) as server:
        go.goproxy = server.url
        done = go.run("get", asked, cwd=work)
        assert done.returncode == 0, done.stderr
        assert f"{MODULE} v2.1.0" in (work / "go.mod").read_text()
        probed = {path.partition("/@")[0] for path in upstream.asked}
        assert {
            "/example.com/!probe/lib/v2/deep/er",
            "/example.com/!probe/lib/v2/deep",
            "/example.com/!probe",
        } <= probed
        assert set(upstream.asked.values()) == {1}


def test_an_upstream_that_fails_for_one_prefix_is_no_absence(
    upstream: Upstream, go: Go, work: Path, tmp_path: Path
) -> None:
    """Else a nested module would be overlooked, and an older one of a shorter path taken instead."""
    upstream.fault = lambda path: Fault(status=500) if path.startswith("/example.com/!probe/lib/v2/deep/@") else None
    environment = {"PHALERON_UPSTREAM_RETRY_S": "1", "PHALERON_MIRROR_FAILED_S": "0"}
    with serving(tmp_path / "data", f"{upstream.url},direct", environment=environment) as server:
        go.goproxy = f"{server.url},direct"
        done = go.run("get", f"{PACKAGE}@latest", cwd=work)
        assert (done.returncode, "502" in done.stderr) == (1, True), done.stderr
        upstream.fault = lambda path: None
        upstream.bodies |= bodies(NESTED, ("v1.0.0",))
        files = {"go.mod": go_mod(NESTED), "er/er.go": b"package er\n"}
        upstream.bodies["/example.com/!probe/lib/v2/deep/@v/v1.0.0.zip"] = module_zip(NESTED, "v1.0.0", files)
        done = go.run("get", f"{PACKAGE}@latest", cwd=work)
        assert done.returncode == 0, done.stderr
        assert f"{NESTED} v1.0.0" in (work / "go.mod").read_text()


def test_what_was_downloaded_is_in_index_and_catalog_and_is_served_from_the_store_alone(
    upstream: Upstream, go: Go, work: Path, tmp_path: Path
) -> None:
    with serving(tmp_path / "data", upstream.url) as server:
        go.goproxy = server.url
        assert server.get("/index").body == b""
        assert go.run("get", f"{PACKAGE}@v2.0.0", cwd=work).returncode == 0
        fed = [json.loads(line) for line in server.get("/index").body.splitlines()]
        assert [(entry["Path"], entry["Version"]) for entry in fed] == [(MODULE, "v2.0.0")]
        catalog = json.loads(server.get("/catalog").body)
        assert catalog["modules"] == [{"module": MODULE, "version": "v2.0.0"}]
        go.forget()
        asked = upstream.asked.total()
        go.goproxy = f"{server.url}/cached-only"
        assert go.run("mod", "download", cwd=work).returncode == 0
        listed = go.run("list", "-m", "-versions", MODULE, cwd=work)
        assert listed.stdout.split()[1:2] == ["v2.0.0"], listed.stderr
        missing = go.run("get", f"{MODULE}@v2.1.0", cwd=work)
        assert (missing.returncode, "404" in missing.stderr) == (1, True)
        assert disabled(server, "/example.com/!probe/lib/v2/@v/v2.1.0.zip") == 404
        assert disabled(server, "/example.com/!probe/lib/v2/@v/v2.0.0.zip") == 200
        assert upstream.asked.total() == asked


def disabled(server: Phaleron, path: str) -> int:
    """Ask with fetching off, by the header; give the status."""
    return server.get(path, Disable_Module_Fetch="true").status
