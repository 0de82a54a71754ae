"""Warm requests by wrk: rounds interleaved over the servers, ratios within a round, medians over rounds.

Servers on core 0, wrk on core 1. 64 connections; 16 for the 30 MB zips.
"""

import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.servers import HERE, Server

CONNECTIONS = {"big": 16}


@dataclass
class Figures:
    """One run of wrk against one server."""

    requests_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int


def measure(server: Server, root: Path, kind: str, seconds: int, seed: int) -> Figures:
    """Load a server for a while."""
    connections = CONNECTIONS.get(kind, 64)
    load = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(HERE / "paths.lua"),
        server.url,
    ]
    before = server.cpu_s()
    done = subprocess.run(
        ["taskset", "-c", "1", *load, "--", str(root / f"paths.{kind}"), str(seed)],
        capture_output=True,
        text=True,
        check=True,
    )
    cpu_s = server.cpu_s() - before
    line = next(line for line in done.stdout.splitlines() if line.startswith("FIGURES "))
    requests, duration_us, _, p50_us, p99_us, errors = map(float, line.split()[1:])
    return Figures(
        requests / duration_us * 1e6, p50_us / 1e3, p99_us / 1e3, cpu_s * 1e6 / max(1, requests), int(errors)
    )


def warm(servers: Sequence[Server], root: Path, kinds: Sequence[str], rounds: int, seconds: int) -> list[list[str]]:
    """Measure; the first server is what ratios are to. Gives rows of a table."""
    rows: list[list[str]] = []
    for kind in kinds:
        found: dict[str, list[Figures]] = {server.name: [] for server in servers}
        for number in range(rounds):
            for server in servers:
                found[server.name].append(measure(server, root, kind, seconds, number))
        base = found[servers[0].name]
        for server in servers:
            runs = found[server.name]
            rate = [r.requests_s / b.requests_s for r, b in zip(runs, base, strict=True)]
            cpu = [r.cpu_us / b.cpu_us if b.cpu_us else 0 for r, b in zip(runs, base, strict=True)]
            rows.append(
                [
                    kind,
                    server.name,
                    f"{statistics.median(r.requests_s for r in runs):,.0f}",
                    f"{statistics.median(rate):.2f} ({min(rate):.2f}-{max(rate):.2f})",
                    f"{statistics.median(r.p50_ms for r in runs):.2f}",
                    f"{statistics.median(r.p99_ms for r in runs):.1f}",
                    f"{statistics.median(r.cpu_us for r in runs):,.1f}",
                    f"{statistics.median(cpu):.2f}",
                    f"{server.peak_rss_mib():.0f}",
                    str(sum(r.errors for r in runs)),
                ]
            )
    return rows


HEAD = [
    "what",
    "server",
    "req/s",
    "x gobase (range)",
    "p50 ms",
    "p99 ms",
    "CPU µs/req",
    "CPU x gobase",
    "RSS MiB",
    "errors",
]
