"""The text beside an upstream's error status, made fit to be handed on: one bounded, printable line without secrets.

Users should read why an upstream does not have something, or does not let them have it, in its own words.
"""

import re

from phaleron.net.failures import one_line, status_text

REASON_BYTES = 4096
"""So much of the body is looked at."""

_LONGEST = 400
_USERINFO = re.compile(r"(?<=://)[^/\s?#\"'<>@]+@")


def reason(body: bytes, what: str, status: int) -> str:
    """Give the first line that says something; `""` where none does, or where it is a page of HTML.

    What the `status` says already, and `what` was asked for, are not repeated.
    """
    phrase = status_text(status).partition(" ")[2]
    for line in body.decode(errors="replace").splitlines():
        text = one_line(line, most=REASON_BYTES)
        if text.startswith("<"):
            return ""
        for head in (phrase, what, phrase):
            if text.lower().startswith(f"{head.lower()}:"):
                text = text[len(head) + 1 :].strip()
        if text and text.lower() not in (phrase.lower(), "404 page not found"):
            return _USERINFO.sub("", text)[:_LONGEST]
    return ""
