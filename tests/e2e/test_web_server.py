"""`phaleron serve` as a process: sockets, workers, signals, certificates."""

import asyncio
import http.client
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import trustme

from tests.world.modules import bodies
from tests.world.server import Phaleron

PATH = "example.com/m"
ZIP = f"/{PATH}/@v/v1.0.0.zip"
MOD = f"/{PATH}/@v/v1.0.0.mod"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A file tree with a module whose zip is big enough to take a while."""
    root = tmp_path / "tree"
    for name, body in bodies(PATH, ("v1.0.0",), filling=os.urandom(20_000_000)).items():
        file = root / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return root


@pytest.fixture
def start(tmp_path: Path, tree: Path) -> Iterator[Callable[..., Phaleron]]:
    servers: list[Phaleron] = []

    def begin(*arguments: str, listen: str = "127.0.0.1:0", **environment: str) -> Phaleron:
        server = Phaleron(tmp_path / "data", tree.as_uri(), *arguments, environment=environment or None, listen=listen)
        servers.append(server)
        return server

    yield begin
    for server in servers:
        server.kill()


def until(true: Callable[[], object], timeout_s: float = 20) -> None:
    """Wait until something is so."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers(server: Phaleron) -> list[int]:
    return [child.pid for child in psutil.Process(server.process.pid).children()]


def port_of(server: Phaleron) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.mark.parametrize("count", ["1", "2"])
def test_it_ends_well_when_told_to(count: str, start: Callable[..., Phaleron]) -> None:
    server = start("--workers", count)
    server.wait_ready()
    assert server.get(MOD).status == 200
    assert len(workers(server)) == (0 if count == "1" else 2)
    children = workers(server)
    assert server.stop(20) == 0, server.log()
    assert not any(psutil.pid_exists(pid) for pid in children)


@pytest.mark.parametrize("count", ["1", "2"])
def test_it_ends_well_by_the_keyboard(count: str, start: Callable[..., Phaleron]) -> None:
    server = start("--workers", count)
    server.wait_ready()
    os.killpg(server.process.pid, signal.SIGINT)  # a terminal signals all of its processes
    assert server.process.wait(20) == 0, server.log()


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_running_download_is_finished_and_no_other_begun(count: str, start: Callable[..., Phaleron]) -> None:
    server = start("--workers", count)
    server.wait_ready()
    whole = server.get(ZIP).body
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.connect(("127.0.0.1", port_of(server)))
        slow.sendall(f"GET {ZIP} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = http.client.HTTPResponse(slow)
        response.begin()
        first = response.read(1_000_000)
        server.process.terminate()
        until(lambda: _refused(port_of(server)))
        assert server.process.poll() is None
        assert first + response.read() == whole
    assert server.process.wait(20) == 0, server.log()


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_download_that_takes_too_long_is_cut(start: Callable[..., Phaleron]) -> None:
    server = start(PHALERON_WEB_DRAIN_S="1")
    server.wait_ready()
    assert server.get(ZIP).status == 200
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.connect(("127.0.0.1", port_of(server)))
        slow.sendall(f"GET {ZIP} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert slow.recv(1000)
        began = time.monotonic()
        assert server.stop(20) == 0, server.log()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("count", ["1", "2"])
def test_told_twice_it_ends_at_once(count: str, start: Callable[..., Phaleron]) -> None:
    server = start("--workers", count)
    server.wait_ready()
    assert server.get(ZIP).status == 200
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.connect(("127.0.0.1", port_of(server)))
        slow.sendall(f"GET {ZIP} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert slow.recv(1000)
        server.process.terminate()
        until(lambda: _refused(port_of(server)))
        server.process.terminate()
        assert server.process.wait(3) == 1


def test_a_worker_that_dies_is_replaced(start: Callable[..., Phaleron]) -> None:
    server = start("--workers", "2")
    server.wait_ready()
    until(lambda: len(workers(server)) == 2)
    gone = workers(server)[0]
    os.kill(gone, signal.SIGKILL)
    until(lambda: len(workers(server)) == 2 and gone not in workers(server))
    for _ in range(20):
        assert server.get(MOD).status == 200
    assert server.stop(20) == 0


def test_workers_do_not_outlive_a_parent_that_is_killed(start: Callable[..., Phaleron]) -> None:
    server = start("--workers", "2")
    server.wait_ready()
    until(lambda: len(workers(server)) == 2)
    children = [psutil.Process(pid) for pid in workers(server)]
    server.process.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_a_port_in_use_is_one_clear_line(start: Callable[..., Phaleron]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = start(listen=f"127.0.0.1:{port}")
        assert server.process.wait(20) == 1
        until(lambda: not server._reader.is_alive())
        assert len(server.lines) == 1
        assert f"cannot listen on 127.0.0.1:{port}: it is in use" in server.log()


def _over_unix(path: Path, target: str) -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        return response.status, response.read()


def test_a_unix_socket(start: Callable[..., Phaleron], tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))  # and nobody listens on it
    server = start(listen=f"unix:{path}")
    assert server.url == f"unix:{path}"
    until(lambda: not _unix_refused(path))
    whole = (tree / ZIP.lstrip("/")).read_bytes()
    for _ in range(2):
        assert _over_unix(path, ZIP) == (200, whole)
        assert _over_unix(path, MOD)[0] == 200
    second = start("--data", str(tmp_path / "other"), listen=f"unix:{path}")
    assert second.process.wait(20) == 1
    until(lambda: not second._reader.is_alive())
    assert "in use" in second.log()
    assert _over_unix(path, MOD)[0] == 200
    assert server.stop(20) == 0
    assert not path.exists()


def _unix_refused(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) != 0


def test_what_is_no_socket_is_not_replaced(start: Callable[..., Phaleron], tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    server = start(listen=f"unix:{path}")
    assert server.process.wait(20) == 1
    assert path.read_text() == "data"


def _serial_of(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as sock, context.wrap_socket(sock) as tls:
        return tls.getpeercert(binary_form=True) or b""


def test_a_changed_certificate_is_taken_up_and_a_broken_one_is_not(
    start: Callable[..., Phaleron], tree: Path, tmp_path: Path
) -> None:
    authority = trustme.CA()
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def issue() -> None:
        issued = authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(str(key))
        issued.cert_chain_pems[0].write_to_path(str(cert))

    issue()
    server = start("--tls-cert", str(cert), "--tls-key", str(key))
    assert server.url.startswith("https://127.0.0.1:")
    port = port_of(server)
    until(lambda: not _refused(port))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting)
    whole = (tree / ZIP.lstrip("/")).read_bytes()
    for _ in range(2):
        connection.request("GET", ZIP)
        assert connection.getresponse().read() == whole
    first = _serial_of(port)

    cert.write_text("not a certificate")
    until(lambda: "the old one stays" in server.log())
    assert _serial_of(port) == first
    issue()
    until(lambda: _serial_of(port) != first)
    second = _serial_of(port)
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(str(key))  # of another certificate
    until(lambda: server.log().count("the old one stays") >= 2)
    assert _serial_of(port) == second

    connection.request("GET", MOD)  # what is open goes on
    assert connection.getresponse().read() == (tree / MOD.lstrip("/")).read_bytes()
    connection.close()
    assert server.stop(20) == 0


def test_a_certificate_that_does_not_work_is_one_clear_line(start: Callable[..., Phaleron], tmp_path: Path) -> None:
    server = start("--tls-cert", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "none.key"))
    assert server.process.wait(20) == 1
    until(lambda: not server._reader.is_alive())
    assert len(server.lines) == 1
    assert "none.pem" in server.log()


def test_the_operators_listener(start: Callable[..., Phaleron], tmp_path: Path) -> None:
    path = tmp_path / "admin"
    server = start("--admin-listen", f"unix:{path}")
    server.wait_ready()
    assert _over_unix(path, "/livez") == (200, b"ok\n")
    assert server.stop(20) == 0


async def test_400_connect_at_once(start: Callable[..., Phaleron]) -> None:
    server = start("--workers", "2")
    server.wait_ready()
    port = port_of(server)

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {MOD} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])

    assert set(await asyncio.gather(*(one() for _ in range(400)))) == {200}


def test_the_soft_limit_of_descriptors_is_raised(start: Callable[..., Phaleron]) -> None:
    server = start()
    server.wait_ready()
    soft, hard = psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


def test_the_first_line_says_where_it_listens(start: Callable[..., Phaleron]) -> None:
    server = start()
    first = json.loads(server.lines[0])
    assert (first["message"], first["url"]) == ("listening", server.url)
    assert port_of(server) > 0
