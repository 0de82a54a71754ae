"""What the rules say when something breaks them. Each error's text names the thing and the rule, in one line."""


class RuleError(ValueError):
    """Something breaks a rule of the Go module system. `str(error)` is fit to be shown to a user."""


class InvalidPathError(RuleError):
    """A module, import or file path that can never be valid."""

    def __init__(self, kind: str, path: str, reason: str) -> None:
        super().__init__(f"malformed {kind} path {path!r}: {reason}")
        self.kind = kind
        self.path = path
        self.reason = reason


class InvalidVersionError(RuleError):
    """A version that is no semantic version, is not canonical, or does not fit its module path."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(f"version {version!r} invalid: {reason}")
        self.version = version
        self.reason = reason


class InvalidEscapeError(RuleError):
    """An escaped path or version that cannot be unescaped (upper case, a stray `!`, a character outside ASCII)."""

    def __init__(self, what: str, escaped: str, reason: str) -> None:
        super().__init__(f"invalid escaped {what} {escaped!r}: {reason}")
        self.escaped = escaped
        self.reason = reason
