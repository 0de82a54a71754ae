"""How a command fails: with lines for the user and an exit code."""

FAILED = 1
WRONG_USAGE = 2


class CommandFailed(Exception):  # noqa: N818 - it is the command that failed
    """Ends a command. `lines` go to stderr, one clear line where there is one thing to say."""

    def __init__(self, *lines: str, exit_code: int = FAILED) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines
        self.exit_code = exit_code
