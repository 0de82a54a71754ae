"""A running Phaleron, as a user starts it: `phaleron serve`, in a process group of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import psutil

# PYTHONPATH, so that the server is the code that the tests import.
_KEPT = ("PATH", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: Message
    body: bytes


class Phaleron:
    """One server. Its log is in `lines`."""

    def __init__(
        self,
        data: Path,
        goproxy: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        listen: str = "127.0.0.1:0",
    ) -> None:
        home = data.parent / f"{data.name}.home"
        home.mkdir(exist_ok=True)
        keep = {k: v for k, v in os.environ.items() if k in _KEPT}
        proxy = {"PHALERON_GO_PROXY": goproxy} if goproxy else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "phaleron", "serve", "--listen", listen, "--data", str(data), *arguments],
            env={**keep, "HOME": str(home), **proxy, **(environment or {})},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            cwd=home,
        )
        self.lines: list[str] = []
        self._first = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._first.wait(60), "said nothing"
        first = json.loads(self.lines[0]) if self.lines and self.lines[0].startswith("{") else {}
        self.url: str = first.get("url", "")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self._first.set()
        self._first.set()

    def log(self) -> str:
        """What it has said."""
        return "".join(self.lines)

    def wait_ready(self, timeout_s: float = 30) -> None:
        """Wait until it answers."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                assert self.get("/readyz").status == 200
                return
            except (OSError, urllib.error.URLError):
                assert time.monotonic() < end and self.process.poll() is None, self.log()

    def get(self, path: str, *, method: str = "GET", timeout_s: float = 60, **headers: str) -> Got:
        """Ask; any status is an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as response:
                return Got(response.status, response.headers, response.read())
        except urllib.error.HTTPError as e:
            with e:
                return Got(e.code, e.headers, e.read())

    def stop(self, timeout_s: float = 60) -> int:
        """End it well; give the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout_s)
        self._reader.join(10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def kill(self) -> None:
        """End it at once, and all of its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self._reader.join(10)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def peak_rss_mib(self) -> float:
        """The most memory that the processes of the group have had, added up."""
        group = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        total_kib = 0
        for process in group:
            status = Path(f"/proc/{process.pid}/status").read_text()
            total_kib += int(status.partition("VmHWM:")[2].split()[0])
        return total_kib / 1024


@contextlib.contextmanager
def serving(
    data: Path, goproxy: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Phaleron]:
    """A server for the length of a block; it must end well."""
    server = Phaleron(data, goproxy, *arguments, environment=environment)
    try:
        server.wait_ready()
        yield server
    except BaseException:
        server.kill()
        sys.stderr.write(server.log()[-5000:])
        raise
    assert server.stop() == 0, server.log()
