"""A server whose disk is full: misses are refused with a word on when to come again, hits go on, and room mends it."""

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require, require_tool
from tests.world.modules import bodies
from tests.world.server import serving
from tests.world.upstream import Upstream

HOT, COLD, BIG = "example.com/hot", "example.com/cold", "example.com/big"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = [require_tool("mount"), "-t", "tmpfs", "-o", "size=16m", "phaleron-test", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require(mounted, "the right to mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        while True:
            file.write(bytes(1 << 16))  # the last one is cut short to what fits
    return filler


@pytest.mark.parametrize("workers", ["1", "2"])
def test_misses_wait_for_room_and_hits_do_not(disk: Path, workers: str) -> None:
    with Upstream() as upstream:
        hot = bodies(HOT, ("v1.0.0",), filling=os.urandom(300_000))
        cold = bodies(COLD, ("v1.0.0",), filling=os.urandom(300_000))
        # Bigger than the disk: it fills up in the middle of the fetch, which is ours alone to suffer from.
        big = bodies(BIG, ("v1.0.0",), filling=os.urandom(20_000_000))
        upstream.bodies = {**hot, **cold, **big}
        environment = {"PHALERON_MIRROR_FAILED_S": "0"}
        with serving(disk / "data", upstream.url, "--workers", workers, environment=environment) as server:
            for path, body in hot.items():
                assert server.get(path).body == body
            got = server.get(f"/{BIG}/@v/v1.0.0.zip")
            assert (got.status, int(got.headers["Retry-After"]) > 0) == (503, True)
            filler = fill(disk)
            for path in cold:
                if "/@v/v" in path:
                    got = server.get(path)
                    assert (got.status, int(got.headers["Retry-After"]) > 0) == (503, True), (path, got.body)
                    assert got.headers["Cache-Control"] == "no-store"
            for path, body in hot.items():
                got = server.get(path)
                assert (got.status, got.body) == (200, body), path
            assert server.get("/readyz").status == 200
            filler.unlink()
            for path, body in cold.items():
                got = server.get(path)
                assert (got.status, got.body) == (200, body), path
            assert list((disk / "data" / "tmp").iterdir()) == []
            named = [json.loads(line)["Path"] for line in server.get("/index").body.splitlines()]
            assert named == [HOT, COLD]
