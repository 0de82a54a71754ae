"""The text beside an upstream's error status, made fit to be handed on: one bounded, printable line without secrets.

Users should read why an upstream does not have something, or does not let them have it, in its own words.
"""

import re

REASON_BYTES = 4096
"""So much of the body is looked at."""

_LONGEST = 400
_USERINFO = re.compile(r"(?<=://)[^/\s?#\"'<>@]+@")


def reason(body: bytes, what: str) -> str:
    """Give the first line that says something; `""` where none does, or where it is a page of HTML.

    What the status says already ("not found: "), and `what` was asked for, are not repeated.
    """
    for line in body.decode(errors="replace").splitlines():
        text = " ".join("".join(c if c.isprintable() else " " for c in line).split())
        if text.startswith("<"):
            return ""
        for head in ("not found: ", f"{what}: ", "not found: "):
            text = text.removeprefix(head)
        if text and text.lower() not in ("not found", "404 page not found", "gone"):
            return _USERINFO.sub("", text)[:_LONGEST]
    return ""
