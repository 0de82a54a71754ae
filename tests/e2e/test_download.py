"""`phaleron download`, `list` and `show` over a small upstream."""

import io
import json
import os
import pty
import subprocess
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phaleron.gomod.dirhash import hash_mod
from tests.e2e.test_cli import PHALERON, Here


def module(path: str, version: str, *, needs: str = "") -> dict[str, bytes]:
    """Make the files of a version, by their paths at an upstream."""
    go_mod = f"module {path}\n{needs}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(f"{path}@{version}/go.mod", go_mod)
        made.writestr(f"{path}@{version}/m.go", b"package m\n")
    info = json.dumps({"Version": version, "Time": "2024-01-02T03:04:05Z"}).encode()
    return {
        f"/{path}/@v/{version}.info": info,
        f"/{path}/@v/{version}.mod": go_mod,
        f"/{path}/@v/{version}.zip": out.getvalue(),
    }


@dataclass
class Upstream:
    """A running GOPROXY server: its address, its files, and how often each was asked for."""

    files: dict[str, bytes]
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    files: dict[str, bytes] = {}
    for name in ("a.example/m", "b.example/m"):
        for version in ("v1.0.0", "v1.1.0"):
            files |= module(name, version)
        files[f"/{name}/@v/list"] = b"v1.0.0\nv1.1.0\n"
        files[f"/{name}/@latest"] = files[f"/{name}/@v/v1.1.0.info"]
        files[f"/{name}/@v/main.info"] = files[f"/{name}/@v/v1.1.0.info"]
    served = Upstream(files)

    class Serving(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked[self.path] += 1
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def here(tmp_path: Path, upstream: Upstream) -> Here:
    made = Here(tmp_path)
    made.environ |= {"GOPROXY": upstream.url, "PHALERON_STORE_DATA": "d", "GOSUMDB": "off"}
    return made


def test_what_is_downloaded_is_kept_listed_and_shown(here: Here, upstream: Upstream) -> None:
    done = here.run("download", "a.example/m@v1.0.0", "a.example/m@latest", "b.example/m@main")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert sorted(line.split(" ", 1)[1] for line in done.stderr.splitlines()) == [
        "downloaded a.example/m@latest is v1.1.0",
        "downloaded a.example/m@v1.0.0",
        "downloaded b.example/m@main is v1.1.0",
    ]
    assert here.run("list").stdout == "a.example/m  2 versions\nb.example/m  1 version\n"
    assert here.run("list", "a.example/m").stdout == "v1.0.0\nv1.1.0\n"
    told = json.loads(here.run("show", "--json", "a.example/m@v1.0.0").stdout)
    assert (told["path"], told["version"], told["complete"]) == ("a.example/m", "v1.0.0", True)
    files = {file["kind"]: file for file in told["files"]}
    assert set(files) == {"info", "mod", "zip"}
    assert files["zip"]["size_bytes"] == len(upstream.files["/a.example/m/@v/v1.0.0.zip"])
    assert files["mod"]["h1"] == hash_mod(b"module a.example/m\n")
    assert {file["origin"] for file in files.values()} == {upstream.url}
    text = here.run("show", "a.example/m@v1.0.0").stdout
    assert f"file        {here.directory}/d/modules/a.example/m/@v/v1.0.0.zip\n" in text
    assert f"h1          {files['zip']['h1']}\n" in text


def test_what_is_kept_is_not_fetched_again(here: Here, upstream: Upstream) -> None:
    for _ in range(2):
        assert here.run("download", "a.example/m@v1.0.0").returncode == 0
    assert set(upstream.asked.values()) == {1}


def test_a_go_mod_from_stdin_and_a_go_sum(here: Here, upstream: Upstream) -> None:
    (here.directory / "go.mod").write_text("module x.example/m\n\nrequire a.example/m v1.0.0\n")
    (here.directory / "go.sum").write_text(
        f"b.example/m v1.0.0/go.mod {hash_mod(upstream.files['/b.example/m/@v/v1.0.0.mod'])}\n"
    )
    done = here.run("download", "go.mod", "go.sum", "-", stdin="b.example/m@v1.1.0\n")
    assert done.returncode == 0, done.stderr
    assert here.run("list").stdout == "a.example/m  1 version\nb.example/m  1 version\n"
    assert here.run("list", "b.example/m").stdout == "v1.0.0  (only mod)\nv1.1.0\n"
    assert upstream.asked["/b.example/m/@v/v1.0.0.zip"] == 0


def test_a_hash_that_differs_from_go_sum_is_a_failure(here: Here) -> None:
    wrong = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    (here.directory / "go.sum").write_text(f"a.example/m v1.0.0 {wrong}\nb.example/m v1.0.0/go.mod {wrong}\n")
    lines = here.fails("download", "go.sum")
    assert lines[-1] == "phaleron: 2 of 2 could not be downloaded"
    assert lines[-3].startswith(f"phaleron: a.example/m@v1.0.0: go.sum:1 expects {wrong} of the zip, and h1:")
    assert lines[-2].startswith(f"phaleron: b.example/m@v1.0.0: go.sum:2 expects {wrong} of the go.mod, and h1:")


def test_those_that_fail_are_listed_and_the_others_are_kept(here: Here, upstream: Upstream) -> None:
    del upstream.files["/a.example/m/@v/v1.1.0.zip"]
    lines = here.fails("download", "a.example/m@v1.1.0", "a.example/m@v1.0.0", "c.example/m@latest")
    assert lines[-1] == "phaleron: 2 of 3 could not be downloaded"
    assert sorted(line.split("@")[0] for line in lines[-3:-1]) == ["phaleron: a.example/m", "phaleron: c.example/m"]
    assert here.run("list", "a.example/m").stdout.startswith("v1.0.0\n")


def test_two_at_once_on_one_directory_fetch_once(here: Here, upstream: Upstream) -> None:
    targets = [f"{name}@{version}" for name in ("a.example/m", "b.example/m") for version in ("v1.0.0", "v1.1.0")]
    started = [
        subprocess.Popen([PHALERON, "download", *targets], cwd=here.directory, env=here.environ, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in started:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    assert set(upstream.asked.values()) == {1}


def test_on_a_terminal_there_are_bars(here: Here) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [PHALERON, "download", "a.example/m@v1.0.0"],
        cwd=here.directory,
        env=here.environ | {"TERM": "xterm"},
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        shown += piece
    os.close(ours)
    assert done.wait(120) == 0
    assert "1/1" in shown.decode()
    assert "downloaded" not in shown.decode()


def test_looking_makes_no_store(here: Here) -> None:
    for command in (("list",), ("show", "a.example/m@v1.0.0")):
        (line,) = here.fails(*command)
        assert line.startswith(f"phaleron: {here.directory}/d: there is no store here")
    assert not (here.directory / "d").exists()


def test_what_is_not_kept_is_said(here: Here) -> None:
    assert here.run("download", "a.example/m@v1.0.0").returncode == 0
    assert here.fails("list", "c.example/m") == [f"phaleron: c.example/m: nothing is kept of it in {here.directory}/d"]
    assert here.fails("show", "a.example/m@v1.1.0") == [f"phaleron: a.example/m@v1.1.0: not kept in {here.directory}/d"]
