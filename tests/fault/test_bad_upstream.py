"""What an upstream may do wrong: each is told in words that name the rule, and nothing is stored."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.modules import bodies, go_mod, info, module_zip
from tests.world.server import Phaleron, serving
from tests.world.upstream import Fault, Upstream

M = "example.com/m"
AT = f"/{M}/@v/v1.0.0"
GOOD = {"go.mod": go_mod(M), "m.go": b"package m\n"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phaleron]:
    environment = {
        "PHALERON_MIRROR_FAILED_S": "0",
        "PHALERON_MIRROR_ABSENT_S": "0",
        "PHALERON_UPSTREAM_RETRY_S": "1",
        "PHALERON_UPSTREAM_IDLE_S": "1",
        "PHALERON_UPSTREAM_HEADERS_S": "1",
    }
    with serving(tmp_path_factory.mktemp("bad") / "data", upstream.url, environment=environment) as server:
        yield server


def lying_size(zip_bytes: bytes) -> bytes:
    """The directory says one byte more than there is."""
    at = zip_bytes.rindex(b"PK\1\2")
    size = int.from_bytes(zip_bytes[at + 24 : at + 28], "little") + 1
    return zip_bytes[: at + 24] + size.to_bytes(4, "little") + zip_bytes[at + 28 :]


ZIP = module_zip(M, "v1.0.0", GOOD, stored=True)


@pytest.mark.parametrize(
    ("suffix", "body", "says"),
    [
        ("zip", b"", "end of central directory"),
        ("zip", b"<html>an error page</html>", "end of central directory"),
        ("zip", ZIP[:-8], "end of central directory"),
        ("zip", ZIP.replace(b"package m", b"package n"), "CRC"),
        ("zip", lying_size(ZIP), "disagrees"),
        ("zip", module_zip(M, "v1.0.1", GOOD), "prefix"),
        ("zip", module_zip(M, "v1.0.0", {**GOOD, "../evil": b""}), "evil"),
        ("zip", module_zip(M, "v1.0.0", {**GOOD, "a\\b": b""}), "character"),
        ("zip", module_zip(M, "v1.0.0", {**GOOD, "M.go": b""}), "collision"),
        ("zip", module_zip(M, "v1.0.0", {**GOOD, "sub/go.mod": b""}), "go.mod"),
        ("zip", module_zip(M, "v1.0.0", {**GOOD, "con.txt": b""}), "Windows"),
        ("zip", b"#!/bin/sh\n" + ZIP, "central directory"),
        ("mod", b"module example.com/m\nrequire (\n", "unterminated"),
        ("mod", b'module "\n', "newline in string"),
        ("info", b"not json", "JSON"),
        ("info", info("v1.0.1"), "another version"),
        ("info", b'{"Version": "v1"}', "canonical"),
        ("info", b'{"Version": "v1.0.0", "Time": "yesterday"}', "Time"),
        ("info", b"{}", "Version"),
    ],
)
def test_a_file_that_breaks_a_rule(upstream: Upstream, server: Phaleron, suffix: str, body: bytes, says: str) -> None:
    upstream.bodies = {f"{AT}.{suffix}": body}
    got = server.get(f"{AT}.{suffix}")
    assert (got.status, got.headers["Cache-Control"]) == (502, "no-store")
    assert says in got.body.decode()
    assert server.get(f"/cached-only{AT}.{suffix}").status == 404
    upstream.bodies = bodies(M, ("v1.0.0",))
    # Another module, so that what follows does not find what this test stored.
    other = bodies(f"example.com/ok/{suffix}", ("v1.0.0",))
    upstream.bodies |= other
    for path in other:
        assert server.get(path).status == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(status=404, text="not found: gone fishing"), 404),
        (Fault(status=410, text="gone"), 404),
        (Fault(status=400), 502),
        (Fault(status=401), 502),
        (Fault(status=403, text="policy"), 502),
        (Fault(status=451), 502),
        (Fault(status=500), 502),
        (Fault(status=503, headers={"Retry-After": "60"}), 502),
        (Fault(status=204), 502),
        (Fault(hang=True), 504),
        (Fault(cut_at=3), 502),
        (Fault(status=302, headers={"Location": "/loop"}), 404),
        (Fault(status=302, headers={"Location": "ftp://x"}), 502),
        (Fault(status=500, times=2), 200),
        (Fault(status=429, times=1, headers={"Retry-After": "0"}), 200),
        (Fault(delay_s=0.2), 200),
    ],
)
@pytest.mark.parametrize(
    "name", ["@v/list", "@latest", "@v/v1.0.0.info", "@v/v1.0.0.mod", "@v/v1.0.0.zip", "@v/main.info"]
)
def test_statuses(upstream: Upstream, server: Phaleron, name: str, fault: Fault, status: int) -> None:
    number = upstream.asked.total()
    path = f"example.com/s{number}"
    upstream.bodies = bodies(path, ("v1.0.0",))
    upstream.bodies[f"/{path}/@v/main.info"] = info("v1.0.0")
    target = f"/{path}/{name}"
    upstream.faults = {target: Fault(**vars(fault))}
    if name == "@latest":
        status = 200  # where the upstream has no word on it, it is chosen from the list
    got = server.get(target)
    assert got.status == status, got.body
    assert got.headers["Cache-Control"]


def test_the_reason_of_an_absence_is_handed_on(upstream: Upstream, server: Phaleron) -> None:
    upstream.faults = {f"/{M}/@v/v9.0.0.info": Fault(status=404, text="not found: unknown revision v9.0.0\n")}
    got = server.get(f"/{M}/@v/v9.0.0.info")
    assert b"unknown revision v9.0.0" in got.body
    assert got.body.count(b"not found") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_stops_the_start_is_one_clear_line(tmp_path: Path, upstream: Upstream, workers: str) -> None:
    busy = Phaleron(tmp_path / "busy", upstream.url)
    busy.wait_ready()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "catalog.db").write_bytes(b"this is no database" * 100)
    file = tmp_path / "file"
    file.write_text("")
    cases = [
        (["--listen", busy.url.removeprefix("http://"), "--data", str(tmp_path / "a")], "in use"),
        (["--listen", "127.0.0.1:0", "--data", str(damaged)], "catalog"),
        (["--listen", "127.0.0.1:0", "--data", str(file / "below")], "store"),
    ]
    for arguments, says in cases:
        done = subprocess.run(
            [sys.executable, "-m", "phaleron", "serve", *arguments, "--workers", workers],
            env={"PHALERON_GO_PROXY": upstream.url, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        last = done.stderr.strip().splitlines()
        said = [line for line in last if not line.startswith("{") or json.loads(line)["level"] == "error"]
        assert done.returncode == 1, done.stderr
        assert any(says in line for line in said), done.stderr
        assert "Traceback" not in done.stderr
    assert busy.stop() == 0
