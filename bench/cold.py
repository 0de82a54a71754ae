"""A real `go mod download`, direct and through Phaleron, cold and warm, with an upstream that waits before each answer."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.servers import Server, phaleron, upstream

HEAD = ["upstream delay", "way", "seconds", "x direct (range)", "upstream requests", "server CPU s", "RSS MiB"]


def _ask(server: Server, path: str) -> str:
    with urllib.request.urlopen(f"{server.url}{path}", timeout=10) as response:
        body: bytes = response.read()
    return body.decode().strip()


def download(go_mod: bytes, goproxy: str) -> float:
    """Download a project's modules with empty caches, in memory where that is possible; give the seconds."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    try:
        work = folder / "work"
        work.mkdir()
        (work / "go.mod").write_bytes(go_mod)
        (work / "main.go").write_text("package main\n\nfunc main() {}\n")
        environment = {
            **os.environ,
            "GOPROXY": goproxy,
            "GOSUMDB": "off",
            "GOFLAGS": "-mod=mod",
            "GOENV": "off",
            "GOTOOLCHAIN": "local",
            "GOPATH": str(folder / "go"),
            "GOMODCACHE": str(folder / "mod"),
        }
        began = time.perf_counter()
        done = subprocess.run(
            ["go", "mod", "download"], cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(done.stderr)
        return took
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        shutil.rmtree(folder)


def cold(root: Path, tree: Path, go_mod: bytes, delays_ms: list[int], rounds: int) -> list[list[str]]:
    """Measure; rounds are interleaved. Gives rows of a table."""
    rows: list[list[str]] = []
    with upstream(root, tree) as origin:
        for delay_ms in delays_ms:
            _ask(origin, f"/-/delay?ms={delay_ms}")
            took: dict[str, list[float]] = {"direct": [], "cold": [], "warm": []}
            asked: dict[str, list[int]] = {"direct": [], "cold": [], "warm": []}
            cpu_s: list[float] = []
            rss: list[float] = []
            for number in range(rounds):
                _ask(origin, "/-/reset")
                took["direct"].append(download(go_mod, origin.url))
                asked["direct"].append(int(_ask(origin, "/-/count")))
                data = root / f"cold-{delay_ms}-{number}"
                shutil.rmtree(data, ignore_errors=True)
                with phaleron(data, origin.url) as server:
                    for way in ("cold", "warm"):
                        _ask(origin, "/-/reset")
                        before = server.cpu_s()
                        took[way].append(download(go_mod, server.url))
                        asked[way].append(int(_ask(origin, "/-/count")))
                        if way == "cold":
                            cpu_s.append(server.cpu_s() - before)
                    rss.append(server.peak_rss_mib())
                shutil.rmtree(data)
            for way, seconds in took.items():
                ratio = [s / d for s, d in zip(seconds, took["direct"], strict=True)]
                rows.append(
                    [
                        f"{delay_ms} ms",
                        way,
                        f"{statistics.median(seconds):.1f}",
                        f"{statistics.median(ratio):.2f} ({min(ratio):.2f}-{max(ratio):.2f})",
                        f"{statistics.median(asked[way]):.0f}",
                        f"{statistics.median(cpu_s):.1f}" if way == "cold" else "",
                        f"{max(rss):.0f}" if way != "direct" else "",
                    ]
                )
    return rows
