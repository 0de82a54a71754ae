"""The program beside this file, built and spoken to: what golang.org/x/mod says."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest


class Oracle:
    """Asks the program; one process a batch of questions."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ask(self, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer each question, in order."""
        lines = "".join(json.dumps(q) + "\n" for q in questions)
        done = subprocess.run([self._program], input=lines, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]


def build_oracle(directory: Path) -> Oracle:
    """Build the program into `directory`; skip the test where there is no Go or no x/mod."""
    go = shutil.which("go")
    reason = "no go command"
    if go:
        program = directory / "oracle"
        done = subprocess.run(
            [go, "build", "-o", str(program), "."],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return Oracle(program)
        reason = f"oracle cannot be built: {done.stderr.strip()[-300:]}"
    if os.environ.get("PHALERON_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
