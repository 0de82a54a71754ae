"""`python -m bench`: measure Phaleron beside plain Go and nginx, or any base URLs, and write bench/RESULTS.md.

python -m bench all                      everything, in about a quarter of an hour
python -m bench warm --url mine=http://… any servers that serve the tree (`python -m bench tree` says where it is)
"""

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from bench import cold as cold_module
from bench import trouble as trouble_module
from bench import warm as warm_module
from bench.servers import HERE, Server, gobase, missing, nginx, phaleron, upstream
from bench.tree import KINDS, make


def root() -> Path:
    """Where the tree and the programs are kept: PHALERON_BENCH_DIR, else the user's cache directory."""
    given = os.environ.get("PHALERON_BENCH_DIR")
    folder = Path(given) if given else Path(platformdirs.user_cache_dir("phaleron-bench", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def warm(arguments: argparse.Namespace) -> str:
    """Measure warm requests."""
    folder = root()
    with contextlib.ExitStack() as stack:
        servers = [Server(name, url) for name, _, url in (word.partition("=") for word in arguments.url)]
        if not servers:
            data = folder / "warm"
            shutil.rmtree(data, ignore_errors=True)
            origin = stack.enter_context(upstream(folder, folder / "tree"))
            servers = [
                stack.enter_context(gobase(folder, core=0)),
                stack.enter_context(nginx(folder, core=0)),
                stack.enter_context(
                    phaleron(data, origin.url, core=0, environment={"PHALERON_MIRROR_FRESH_S": "3600"})
                ),
            ]
        for server in servers:
            for kind in KINDS:
                for path in (folder / f"paths.{kind}").read_text().split():
                    with urllib.request.urlopen(f"{server.url}{path}", timeout=60) as response:
                        while response.read(1 << 20):
                            pass
        rows = warm_module.warm(servers, folder, KINDS, arguments.rounds, arguments.seconds)
    return f"## Warm\n\n{table(warm_module.HEAD, rows)}"


def cold(arguments: argparse.Namespace) -> str:
    """Measure downloads of a real project."""
    # The tests' world knows a real project and its upstream tree; it is made once a machine.
    from tests.world.project import MODULE, VERSION, Project

    project = Project()
    rows = cold_module.cold(root(), project.tree, project.go_mod, arguments.delays, arguments.downloads)
    return f"## `go mod download` of {MODULE} {VERSION}\n\n{table(cold_module.HEAD, rows)}"


def trouble(arguments: argparse.Namespace) -> str:
    """Measure trouble."""
    return f"## Trouble\n\n{table(trouble_module.HEAD, trouble_module.trouble(root()))}"


def head() -> str:
    """Say what was measured on what."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=HERE
    )
    go = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout.split()
    return (
        "# Measured\n\n"
        f"Commit {commit.stdout.strip() or 'unknown'}, {datetime.now(UTC):%Y-%m-%d}, by `make bench`. {os.cpu_count()} cores of "
        f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, {go[2] if len(go) > 2 else 'no go'}.\n"
        "Only ratios within one run count: shared machines change their speed within minutes. `gobase` is plain Go net/http\n"
        "over the same tree, without a cache (`bench/gobase`); nginx has one worker. Servers on one core, wrk on the other;\n"
        "medians of interleaved rounds, ranges in brackets; CPU is of the whole process group. Lists are fresh throughout.\n\n"
    )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=["all", "tree", "warm", "cold", "trouble"])
    parser.add_argument(
        "--url", action="append", default=[], metavar="NAME=URL", help="measure these instead; the first is the base"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--downloads", type=int, default=3, help="rounds of go mod download")
    parser.add_argument(
        "--delays",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[0, 50, 200],
        help="of the upstream, in ms",
    )
    arguments = parser.parse_args()
    if lacking := missing("wrk", "nginx", "go", "taskset"):
        print(f"missing: {', '.join(lacking)}", file=sys.stderr)
        return 1
    make(root())
    if arguments.what == "tree":
        print(root())
        return 0
    parts = {"warm": warm, "cold": cold, "trouble": trouble}
    wanted = parts.values() if arguments.what == "all" else [parts[arguments.what]]
    text = head() + "\n".join(part(arguments) for part in wanted)
    print(text)
    if arguments.what == "all" and not arguments.url:
        (HERE / "RESULTS.md").write_text(text)
    return 0


sys.exit(main())
