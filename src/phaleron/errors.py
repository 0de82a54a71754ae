"""The closed set of things that can go wrong for a caller. One table (`phaleron.web.errors`) turns them into HTTP.

The go command moves on to the next proxy after a `,` only on 404 and 410, so the choice is not cosmetic: an outage is never
`NotFound`. Each error's text is one line that may be shown to a user: it says what happened and to what, and holds nothing
secret.
"""


class PhaleronError(Exception):
    """Base of the closed set. `str(error)` is the one line for the user."""


class NotFound(PhaleronError):  # noqa: N818 - the field's word for it
    """The origin said with certainty that it does not exist, or the path can never be a module. 404."""


class Gone(PhaleronError):  # noqa: N818
    """Removed for good here. 410."""


class Unauthorized(PhaleronError):  # noqa: N818
    """Credentials are missing or wrong. 401."""


class Forbidden(PhaleronError):  # noqa: N818
    """Policy says no; the text names the rule and whom to ask. 403."""


class Untrusted(PhaleronError):  # noqa: N818
    """A checksum or signature does not match; nothing was stored. 403."""


class OriginFailed(PhaleronError):  # noqa: N818
    """The origin misbehaved: an error status, a broken connection, content that breaks a rule. 502.

    `retry_after_s` is in whole seconds: when the origin itself said that it may be asked again; None where it did not.
    """

    def __init__(self, text: str, retry_after_s: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class OriginTimeout(PhaleronError):  # noqa: N818
    """The origin did not answer in time. 504."""


class Busy(PhaleronError):  # noqa: N818
    """Our own bounds are reached, or the disk is full. 503 with Retry-After.

    `retry_after_s` is in whole seconds.
    """

    def __init__(self, text: str, retry_after_s: int = 5) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class BadRequest(PhaleronError):  # noqa: N818
    """Malformed escaping, parameters or uploads. 400."""
