"""kill -9 of the server at random instants, while a go command downloads through it.

The interrupted command may fail, for it does not retry. Run again after a restart it ends right, nothing is half there, and
temporary files are gone.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from phaleron.gomod.modzip import verify_zip
from phaleron.gomod.version import Version, unescape_path, unescape_version
from tests.require import require_tool
from tests.world.gocmd import Go
from tests.world.modules import bodies
from tests.world.server import Phaleron
from tests.world.upstream import Upstream

KILLS = 30
MODULES = 12


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    require_tool("go")
    with Upstream() as upstream:
        upstream.delay_s = 0.01
        yield upstream


def write_main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    require = "".join(f"\t{name} v1.0.0\n" for name in names)
    (folder / "go.mod").write_text(f"module example.org/main\n\ngo 1.21\n\nrequire (\n{require})\n")
    (folder / "main.go").write_text("package main\n\nfunc main() {}\n")


def check_tree(data: Path, upstream: Upstream) -> None:
    """Every file that has a name is whole, and the very one that the upstream has."""
    for file in (data / "modules").rglob("*"):
        if file.suffix not in (".info", ".mod", ".zip"):
            continue
        path = f"/{file.relative_to(data / 'modules')}"
        assert file.read_bytes() == upstream.bodies[path], path
        if file.suffix == ".zip":
            version = unescape_version(file.stem)
            assert isinstance(version, Version)
            fd = os.open(file, os.O_RDONLY)
            verify_zip(fd, unescape_path(str(file.parent.parent.relative_to(data / "modules"))), version)
            os.close(fd)


def test_thirty_kills(upstream: Upstream, tmp_path: Path) -> None:
    seed = int(os.environ.get("PHALERON_SEED") or time.time_ns())
    print(f"PHALERON_SEED={seed}")
    rng = random.Random(seed)
    data = tmp_path / "data"
    interrupted = 0
    complete: set[str] = set()
    for number in range(KILLS):
        names = [f"example.com/k{number}/m{n}" for n in range(MODULES)]
        for name in names:
            upstream.bodies |= bodies(name, ("v1.0.0",), filling=rng.randbytes(rng.choice((1_000, 300_000, 3_000_000))))
        folder = tmp_path / f"work{number}"
        write_main(folder, names)
        server = Phaleron(data, upstream.url, "--workers", str(1 + number % 2))
        server.wait_ready()
        go = Go(tmp_path / "go", goproxy=server.url)
        asked = upstream.asked.total()
        download = go.start("mod", "download", cwd=folder)
        until = asked + rng.randrange(1, MODULES * 3)
        while upstream.asked.total() < until and download.poll() is None:
            time.sleep(0.001)  # the instant is the upstream's: after so many requests
        time.sleep(rng.uniform(0, 0.03))
        interrupted += download.poll() is None
        server.kill()
        download.communicate(timeout=60)
        check_tree(data, upstream)
        go.forget()

        server = Phaleron(data, upstream.url)
        server.wait_ready()
        assert list((data / "tmp").iterdir()) == []
        go = Go(tmp_path / "go", goproxy=server.url)
        done = go.run("mod", "download", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert len((folder / "go.sum").read_text().splitlines()) == MODULES
        go.forget()
        complete |= {f'{{"Path":"{name}","Version":"v1.0.0"' for name in names}
        server.kill()
    assert interrupted >= KILLS // 2
    server = Phaleron(data, upstream.url)
    server.wait_ready()
    index = server.get("/index").body.decode()
    assert [entry for entry in complete if entry not in index] == []
    check_tree(data, upstream)
    assert server.stop() == 0
