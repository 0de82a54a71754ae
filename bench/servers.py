"""Servers to be measured: started here in a process group of their own and pinned, or reached by a base URL."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
_NGINX = """
{user}daemon off; pid {root}/nginx.pid; error_log {root}/nginx.log; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=20000;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4;
  scgi_temp_path {root}/t5;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {root}/tree; default_type text/plain; }}
}}
"""


@dataclass
class Server:
    """One server. `process` is None for one that somebody else started: its processor time is not known."""

    name: str
    url: str
    process: psutil.Process | None = None

    def _group(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)] if self.process else []

    def cpu_s(self) -> float:
        """Processor time of the group, ended children included, in seconds."""
        return sum(sum(p.cpu_times()[:4]) for p in self._group())

    def peak_rss_mib(self) -> float:
        """The most memory of each process, added up."""
        total = 0
        for process in self._group():
            status = Path(f"/proc/{process.pid}/status").read_text()
            total += int(status.partition("VmHWM:")[2].split()[0])
        return total / 1024


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for(url: str, timeout_s: float = 30) -> None:
    """Wait until something answers at a URL."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise


def missing(*tools: str) -> list[str]:
    """Name the programs that this machine lacks."""
    return [tool for tool in tools if shutil.which(tool) is None]


@contextlib.contextmanager
def running(
    name: str,
    command: list[str],
    url: str,
    probe: str,
    *,
    core: int | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server for the length of a block; it is ended by its group's id."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    process = subprocess.Popen(
        pin + command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(f"{url}{probe}")
        yield Server(name, url, psutil.Process(process.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


def phaleron(
    data: Path, goproxy: str, *, core: int | None = None, environment: dict[str, str] | None = None
) -> contextlib.AbstractContextManager[Server]:
    """Phaleron as a user starts it, with one worker."""
    port = free_port()
    command = [sys.executable, "-m", "phaleron", "serve", "--listen", f"127.0.0.1:{port}", "--data", str(data)]
    more = {
        "PHALERON_GO_PROXY": goproxy,
        "PHALERON_GO_SUMDB": "off",
        "PHALERON_LOG_LEVEL": "warning",
        **(environment or {}),
    }
    return running("phaleron", command, f"http://127.0.0.1:{port}", "/readyz", core=core, environment=more)


def nginx(root: Path, *, core: int | None = None) -> contextlib.AbstractContextManager[Server]:
    """nginx over the tree, one worker."""
    port = free_port()
    user = "user root;\n" if os.geteuid() == 0 else ""  # its workers must be able to read the tree
    (root / "nginx.conf").write_text(_NGINX.format(root=root, port=port, user=user))
    return running("nginx", ["nginx", "-c", str(root / "nginx.conf")], f"http://127.0.0.1:{port}", "/", core=core)


def gobase(root: Path, *, core: int | None = None) -> contextlib.AbstractContextManager[Server]:
    """Plain Go net/http over the tree: what all ratios are to."""
    port = free_port()
    binary = build(root, "gobase")
    command = [str(binary), "-tree", str(root / "tree"), "-addr", f"127.0.0.1:{port}"]
    return running("gobase", command, f"http://127.0.0.1:{port}", "/", core=core)


def upstream(root: Path, tree: Path, delay_ms: int = 0) -> contextlib.AbstractContextManager[Server]:
    """An upstream over a tree that waits before each answer and counts (`/-/count`, `/-/reset`, `/-/delay?ms=`)."""
    port = free_port()
    binary = build(root, "upstream")
    command = [str(binary), "-tree", str(tree), "-addr", f"127.0.0.1:{port}", "-delay", f"{delay_ms}ms"]
    return running("upstream", command, f"http://127.0.0.1:{port}", "/-/count")


def build(root: Path, name: str) -> Path:
    """Build a Go program of this folder, unless it is newer than its source."""
    source, binary = HERE / name, root / "bin" / name
    if not binary.exists() or binary.stat().st_mtime < (source / "main.go").stat().st_mtime:
        binary.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOCACHE": str(root / "gocache")}
        subprocess.run(["go", "build", "-o", str(binary), "."], cwd=source, env=environment, check=True)
    return binary
