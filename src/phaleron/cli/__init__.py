"""`phaleron …`: one file a command.

`main` is the program's entry point: exit code 0 is fine, 1 is failed with one clear line on stderr, 2 is wrong usage. A
traceback is shown with `--debug` or PHALERON_DEBUG alone.
"""

import os
import sys

from phaleron.cli.failure import FAILED, WRONG_USAGE, CommandFailed
from phaleron.errors import PhaleronError


def main() -> int:
    """Run the command that `sys.argv` names; give its exit code."""
    from phaleron.cli.app import app  # here, so that a broken installation is told as any other failure

    try:
        app(prog_name="phaleron")
    except Exception as e:
        if os.environ.get("PHALERON_DEBUG"):
            raise
        lines, code = _explain(e)
        for line in lines:
            print(f"phaleron: {line}", file=sys.stderr)
        return code
    return 0


def _explain(error: Exception) -> tuple[tuple[str, ...], int]:
    """Say in words what ended the command, and with which exit code."""
    from phaleron.settings.faults import SettingsError
    from phaleron.store.errors import StoreError
    from phaleron.telemetry.secrets import mask

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CommandFailed):
        return tuple(mask(line) for line in error.lines), error.exit_code
    if isinstance(error, SettingsError):
        typed = all(fault.startswith("--") for fault in error.faults)
        return error.faults, WRONG_USAGE if typed else FAILED
    if isinstance(error, (PhaleronError, StoreError)):
        return (mask(str(error)),), FAILED
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return (f"{where}{error.strerror or error}",), FAILED
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return (f"a fault in phaleron itself: {mask(what)} (PHALERON_DEBUG=1 shows where)",), FAILED
