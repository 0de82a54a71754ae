"""The program beside this file, built and spoken to: what golang.org/x/mod says."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from tests.require import require


class Oracle:
    """Asks the program; one process a batch of questions."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ask(self, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer each question, in order."""
        lines = "".join(json.dumps(q) + "\n" for q in questions)
        done = subprocess.run([self._program], input=lines, capture_output=True, text=True, check=True)
        # Not splitlines: the answers may hold U+2028 and its like.
        return [json.loads(line) for line in done.stdout.split("\n") if line]


def build_oracle(directory: Path) -> Oracle:
    """Build the program into `directory`; skip the test where there is no Go or no x/mod.

    Go's caches are the tests' own and stay from run to run, in PHALERON_ORACLE_CACHE if that is set.
    """
    go = shutil.which("go")
    require(go, "go")
    cache = Path(os.environ.get("PHALERON_ORACLE_CACHE") or user_cache_path("phaleron-oracle")).absolute()
    caches = {"GOCACHE": str(cache / "build"), "GOMODCACHE": str(cache / "mod"), "GOFLAGS": "-modcacherw"}
    program = directory / "oracle"
    done = subprocess.run(
        [str(go), "build", "-o", str(program), "."],
        cwd=Path(__file__).parent,
        env=os.environ | caches | {"GOTOOLCHAIN": "local", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    require(done.returncode == 0, f"what the oracle is built of: {done.stderr.strip()[-300:]}")
    return Oracle(program)
