"""The `phaleron` program as people run it: exit codes, lines on stderr, what is written to stdout."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

PHALERON = Path(sys.executable).with_name("phaleron")
UPSTREAM = "https://upstream.example,direct"


class Here:
    """A working directory with an environment of its own, and the program in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory / "home"),
            "GOENV": "off",
            "GOROOT": str(directory / "goroot"),
            **{key: os.environ[key] for key in ("PYTHONPATH", "LANG") if key in os.environ},
        }

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PHALERON, *arguments],
            cwd=self.directory,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def fails(self, *arguments: str, code: int = 1, **environ: str) -> list[str]:
        """Run a command that fails; give its lines on stderr."""
        done = self.run(*arguments, **environ)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_version(here: Here) -> None:
    assert re.fullmatch(r"phaleron \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+, \S+\)\n", here.run("version").stdout)
    told = json.loads(here.run("version", "--json").stdout)
    assert set(told) == {"version", "python", "platform"}


def test_help_names_every_command(here: Here) -> None:
    done = here.run("--help")
    assert done.returncode == 0
    for command in ("serve", "download", "list", "show", "config", "doctor", "version"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        ((), None),
        (("swerve",), "Error: No such command 'swerve'."),
        (("serve", "--listn", "x"), "Error: No such option: --listn"),
        (("serve", "--listen", "3000"), "phaleron: --listen: web.listen must be HOST:PORT"),
        (("serve", "--workers", "two"), "phaleron: --workers: web.workers must be a whole number, not 'two'"),
        (("download",), "Error: Missing argument"),
        (("download", "--jobs", "0", "a.example/m@v1.0.0"), "Error: Invalid value for '--jobs'"),
        (("download", "a.example/m"), "phaleron: a.example/m: 'a.example/m' is no module@version"),
        (("list", "nodot"), "phaleron: malformed module path 'nodot': missing dot in first path element"),
        (("show", "a.example/m@master"), "phaleron: a.example/m@master: master is no canonical version such as v1.2.3"),
        (("config", "extra"), "Error: Got unexpected extra argument"),
    ],
)
def test_wrong_usage_is_exit_code_2(here: Here, arguments: tuple[str, ...], last: str | None) -> None:
    lines = here.fails(*arguments, code=2)
    if last is not None:
        assert lines[-1].startswith(last)


@pytest.mark.parametrize("command", ["serve", "config", "doctor", "list"])
def test_unknown_settings_stop_the_start_with_file_and_line(here: Here, command: str) -> None:
    (here.directory / "phaleron.toml").write_text("[web]\nlistn = 'x'\n\n[mirror]\nfresh_s = 'x'\n")
    assert here.fails(command, PHALERON_WEB_WORKERZ="1") == [
        "phaleron: PHALERON_WEB_WORKERZ: no setting has this environment variable (did you mean PHALERON_WEB_WORKERS?)",
        "phaleron: phaleron.toml:2: unknown setting web.listn (did you mean web.listen?)",
        'phaleron: phaleron.toml:5: mirror.fresh_s must be a duration such as 30, "30s" or "1h", not \'x\'',
    ]


def test_debug_shows_the_traceback(here: Here) -> None:
    for done in (here.run("list", "--debug"), here.run("list", PHALERON_DEBUG="1")):
        assert done.returncode == 1
        assert "Traceback" in done.stderr


def test_config_says_where_each_value_comes_from(here: Here) -> None:
    (here.directory / "phaleron.toml").write_text("[web]\nworkers = 3\n")
    (here.directory / "goroot").mkdir()
    (here.directory / "goroot/go.env").write_text("# x\nGOSUMDB=sum.example\n")
    done = here.run(
        "config", "--listen", "127.0.0.1:1", PHALERON_LOG_LEVEL="debug", GOPROXY="https://u:secret@up.example"
    )
    assert done.returncode == 0
    lines = [re.sub(r" +# ", " # ", line) for line in done.stdout.splitlines()]
    for line in (
        'listen = "127.0.0.1:1" # --listen',
        "workers = 3 # phaleron.toml:2",
        'level = "debug" # PHALERON_LOG_LEVEL',
        'proxy = "https://***@up.example" # environment variable GOPROXY',
        f'sumdb = "sum.example" # {here.directory}/goroot/go.env:2',
        f'data = "{here.directory}/home/.local/share/phaleron" # default',
    ):
        assert line in lines
    assert tomllib.loads(done.stdout)["web"]["workers"] == 3
    told = json.loads(here.run("config", "--json").stdout)
    assert told["web.workers"] == {"value": 3, "source": "phaleron.toml:2"}
    assert told["web.drain_s"] == {"value": 30, "source": "default"}


def test_config_writes_a_file_to_start_from(here: Here) -> None:
    template = here.run("config", "--defaults").stdout
    (here.directory / "phaleron.toml").write_text(template)
    done = here.run("config", "--json")
    assert {entry["source"] for entry in json.loads(done.stdout).values()} == {"default"}


def test_a_goproxy_that_is_this_server_is_skipped_with_a_warning(here: Here) -> None:
    (here.directory / "goenv").write_text("GOPROXY=http://localhost:3000\n")
    (here.directory / "goroot").mkdir()
    (here.directory / "goroot/go.env").write_text("GOPROXY=https://upstream.example,direct\n")
    done = here.run("config", "--json", GOENV="goenv")
    assert done.stderr == (
        "phaleron: warning: GOPROXY=http://localhost:3000 (goenv:1) names this server itself and is skipped\n"
    )
    assert json.loads(done.stdout)["go.proxy"]["value"] == "https://upstream.example,direct"


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {},
            "phaleron: no upstream proxy: neither settings nor a Go environment name one; type `phaleron serve --goproxy URL`",
        ),
        (
            {"GOPROXY": "direct"},
            "phaleron: no upstream proxy: go.proxy is 'direct' (environment variable GOPROXY), and",
        ),
        (
            {"GOPROXY": "http://localhost:3000,direct"},
            "phaleron: no upstream proxy: GOPROXY=http://localhost:3000,direct (environment variable GOPROXY) names this server",
        ),
    ],
)
def test_without_an_upstream_the_start_says_what_to_type(here: Here, environ: dict[str, str], line: str) -> None:
    (*_, last) = here.fails("serve", "--data", "d", **environ)
    assert last.startswith(line)
    assert "type `phaleron serve --goproxy URL`, or set PHALERON_GO_PROXY" in last
    assert not (here.directory / "d").exists()


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    return {found["check"]: (found["verdict"], found["text"]) for found in json.loads(done.stdout)}


def test_doctor_on_a_directory_that_cannot_be_written(here: Here) -> None:
    (here.directory / "file").write_text("")
    done = here.run("doctor", "--json", "--data", "file/data", "--listen", "127.0.0.1:0", "--goproxy", "off")
    assert done.returncode == 1
    assert findings(done)["data"] == ("stop", f"{here.directory}/file is no directory")
    assert done.stderr == "phaleron: would not work here: data\n"
    assert not (here.directory / "home").exists()


def test_doctor_where_all_is_well(here: Here) -> None:
    done = here.run("doctor", "--data", "d", "--listen", "127.0.0.1:0", "--goproxy", "off")
    assert done.returncode == 0, done
    assert f"ok    data: {here.directory}/d (will be made) can be written\n" in done.stdout
    assert "STOP" not in done.stdout
    assert not (here.directory / "d").exists()


def test_doctor_on_a_port_in_use(here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        threading.Thread(target=lambda: taken.accept()[0].close(), daemon=True).start()
        done = here.run("doctor", "--json", "--data", "d", "--listen", address, "--goproxy", "off")
    assert done.returncode == 1
    assert findings(done)["listen"] == ("stop", f"{address} is in use by something that does not answer in HTTP")


def test_doctor_without_an_upstream(here: Here) -> None:
    verdict, text = findings(here.run("doctor", "--json", "--listen", "127.0.0.1:0"))["upstream"]
    assert verdict == "stop"
    assert "phaleron serve --goproxy URL" in text


def test_doctor_on_an_upstream_that_does_not_answer(here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = f"127.0.0.1:{taken.getsockname()[1]}"
    done = here.run(
        "doctor",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--goproxy",
        f"http://u:secret@{free}",
        PHALERON_UPSTREAM_RETRY_S="0",
    )
    assert done.returncode == 1
    assert findings(done)["upstream"][0] == "stop"
    assert "secret" not in done.stdout + done.stderr


def test_doctor_on_tls_files(here: Here) -> None:
    authority = trustme.CA()
    for name in ("one", "two"):
        cert = authority.issue_cert(f"{name}.example")
        cert.private_key_pem.write_to_path(here.directory / f"{name}.key")
        cert.cert_chain_pems[0].write_to_path(here.directory / f"{name}.pem")

    def tls(cert: str, key: str) -> tuple[str, str]:
        flags = ("--listen", "127.0.0.1:0", "--goproxy", "off", "--tls-cert", cert, "--tls-key", key)
        return findings(here.run("doctor", "--json", *flags))["TLS"]

    assert tls("one.pem", "one.key") == ("fine", "one.pem and one.key belong together")
    assert tls("one.pem", "two.key")[0] == "stop"
    assert tls("one.pem", "none.key") == ("stop", "none.key cannot be read")
    (here.directory / "bad.pem").write_text("nonsense")
    assert tls("bad.pem", "one.key")[0] == "stop"


class Upstream(BaseHTTPRequestHandler):
    """Serves files by their path, and says whether it lives."""

    files: dict[str, bytes]

    def do_GET(self) -> None:
        body = self.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A running HTTP server, by its address, and the files that it serves."""
    files: dict[str, bytes] = {"/livez": b"ok\n", "/version": b'{"name": "phaleron"}'}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Upstream,), {"files": files}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", files
    server.shutdown()
    thread.join()
    server.server_close()


def test_doctor_asks_a_running_server_whether_it_lives(here: Here, upstream: tuple[str, dict[str, bytes]]) -> None:
    address, files = upstream
    done = here.run("doctor", "--live", "--listen", address)
    assert (done.returncode, done.stdout) == (0, f"{address} lives\n")
    del files["/livez"]
    assert here.fails("doctor", "--live", "--listen", address) == [f"phaleron: {address} answers 404 to /livez"]
    assert here.fails("doctor", "--live", "--listen", "unix:none.sock") == [
        "phaleron: unix:none.sock does not answer: No such file or directory"
    ]


def test_doctor_knows_a_running_phaleron(here: Here, upstream: tuple[str, dict[str, bytes]]) -> None:
    address, _ = upstream
    done = here.run("doctor", "--json", "--listen", address, "--goproxy", "off")
    assert findings(done)["listen"] == ("stop", f"{address} is in use by a running Phaleron")
