"""A real project with over 200 modules through Phaleron: cold, warm, and with the upstream unplugged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require_tool
from tests.world.gocmd import Go, machine_go_env
from tests.world.project import Project, write_project
from tests.world.server import Phaleron, serving
from tests.world.upstream import Upstream


@pytest.fixture(scope="module")
def project() -> Project:
    require_tool("go")
    return Project()


@pytest.fixture
def upstream(project: Project) -> Iterator[Upstream]:
    with Upstream(project.tree) as upstream:
        yield upstream


def download(project: Project, folder: Path, server: Phaleron, name: str, sumdb: str = "off") -> bytes:
    """Download the project with empty caches and no go.sum; give the go.sum that it writes."""
    go = Go(folder / f"{name}.go", goproxy=server.url, sumdb=sumdb)
    work = write_project(folder / name, project.go_mod)
    try:
        done = go.run("mod", "download", cwd=work)
        assert done.returncode == 0, done.stderr
        return (work / "go.sum").read_bytes()
    finally:
        go.forget()


def test_cold_warm_and_unplugged_give_the_same_go_sum(project: Project, upstream: Upstream, tmp_path: Path) -> None:
    sumdb = machine_go_env("GOSUMDB")
    with serving(tmp_path / "data", upstream.url) as server:
        assert download(project, tmp_path, server, "cold", sumdb) == project.go_sum
        lookups = sum(path.startswith(f"/sumdb/{sumdb}/lookup/") for path in upstream.asked)
        assert lookups > 200
        asked = upstream.files_asked()
        assert asked.total() > 400
        assert set(asked.values()) == {1}
        assert download(project, tmp_path, server, "warm", sumdb) == project.go_sum
        assert upstream.files_asked() == asked
        upstream.unplug()
        assert download(project, tmp_path, server, "unplugged", sumdb) == project.go_sum
        assert server.peak_rss_mib() < 150
    with serving(tmp_path / "data", upstream.url) as server:
        assert download(project, tmp_path, server, "restarted", sumdb) == project.go_sum
        complete = server.get("/index").body.count(b"\n")
        assert complete > 50
        upstream.plug()
