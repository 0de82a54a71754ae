"""Credentials from netrc, read as the go command reads them.

Source: cmd/go/internal/auth: an entry counts if it has machine, login and password; the earlier of two wins; `default` ends
the file; macros are skipped.
"""

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Credential:
    """A login for a machine, which is a host, a host with its port, or one of these with a path."""

    machine: str
    login: str
    password: str


def basic(login: str, password: str) -> str:
    """Give the value of an Authorization header."""
    return "Basic " + b64encode(f"{login}:{password}".encode()).decode()


def parse_netrc(text: str) -> tuple[Credential, ...]:
    """Read the entries of a netrc file. Nothing is an error."""
    found: list[Credential] = []
    entry: dict[str, str] = {}
    in_macro = False
    for line in text.splitlines():
        if in_macro:
            in_macro = bool(line.strip())
            continue
        words = line.split()
        at = 0
        while at < len(words):
            word = words[at]
            value = words[at + 1] if at + 1 < len(words) else ""
            if word == "default":
                return tuple(found)
            if word == "machine":
                entry = {"machine": value}
            elif word in ("login", "password"):
                entry[word] = value
            elif word == "macdef":
                in_macro = True
            at += 2
            if entry.keys() == {"machine", "login", "password"} and all(entry.values()):
                found.append(Credential(**entry))
                entry = {}
    return tuple(found)


def netrc_file(environment: Mapping[str, str]) -> Path:
    """Say where the machine's netrc is: NETRC, or .netrc in the home directory."""
    return Path(environment.get("NETRC") or os.path.join(environment.get("HOME", "/"), ".netrc"))


class Netrc:
    """The credentials of a netrc file."""

    def __init__(self, credentials: tuple[Credential, ...] = ()) -> None:
        self._credentials = credentials

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Netrc":
        """Read the machine's netrc; one that is not there, or cannot be read, holds nothing."""
        try:
            return cls(parse_netrc(netrc_file(environment).read_text(errors="replace")))
        except OSError:
            return cls()

    def authorization(self, url: str) -> str | None:
        """Give the Authorization header for a URL, or None."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        for credential in self._credentials:
            machine = credential.machine.rstrip("/")
            if machine in (host, parts.hostname) or f"{host}{parts.path}/".startswith(f"{machine}/"):
                return basic(credential.login, credential.password)
        return None


def url_authorization(url: str) -> str | None:
    """Give the Authorization header for a URL's own user and password, or None."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return basic(unquote(parts.username), unquote(parts.password or ""))


def sends_in_clear(url: str) -> bool:
    """Tell whether requests to a URL carry credentials over plain http, from the URL or the machine's netrc."""
    return url.startswith("http://") and bool(url_authorization(url) or Netrc.read(os.environ).authorization(url))
