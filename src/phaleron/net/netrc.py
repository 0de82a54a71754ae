"""Credentials: those in a URL, and those in the user's netrc file, read as the go command reads it.

Source: cmd/go/internal/auth. A machine is a host, with its port where the URL has one, and may go on with a path: the longest
that covers the URL wins, and of two entries for one machine the earlier. An entry counts where it has machine, login and
password. `default` and macros give nothing. GOAUTH decides whether the file is read at all; its commands are not run here.
"""

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def basic(login: str, password: str) -> str:
    """Give the value of an Authorization header. Source: RFC 7617."""
    return "Basic " + b64encode(f"{login}:{password}".encode()).decode()


def url_authorization(url: str) -> str | None:
    """Give the Authorization header for a URL's own user and password; None where it has none."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return basic(unquote(parts.username or ""), unquote(parts.password or ""))


def parse_netrc(text: str) -> Iterator[tuple[str, str, str]]:
    """Give (machine, login, password) for each whole entry of a netrc file, in its order. Nothing is an error.

    As the go command, this reads words in pairs, line by line: a `default`, which has no value, ends its line.
    """
    entry: dict[str, str] = {}
    in_macro = False
    for line in text.split("\n"):
        if in_macro:
            in_macro = line != ""
            continue
        words = line.split()
        for name, value in zip(words[::2], words[1::2], strict=False):
            if name == "machine":
                entry = {"machine": value}
            elif name in ("login", "password"):
                entry[name] = value
            elif name == "macdef":
                in_macro = True
            if len(entry) == 3:
                yield entry["machine"], entry["login"], entry["password"]
                entry = {}
        if len(words) % 2 and words[-1] == "default":
            return


class Netrc:
    """The credentials of a netrc file, by machine."""

    def __init__(self, text: str = "") -> None:
        self._by_machine: dict[str, str] = {}
        for machine, login, password in parse_netrc(text):
            key = machine.removeprefix("https://").removesuffix("/")
            self._by_machine.setdefault(key, basic(login, password))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Netrc":
        """Read the file that NETRC names, else `.netrc` in HOME, where GOAUTH is not set or has `netrc` in its list.

        A file that is not there holds nothing; of one that cannot be read the log has a warning.
        """
        methods = [method.split()[:1] for method in environment.get("GOAUTH", "netrc").split(";")]
        home = environment.get("HOME", "")
        file = environment.get("NETRC") or (os.path.join(home, ".netrc") if home else "")
        if ["netrc"] not in methods or not file:
            return cls()
        try:
            return cls(Path(file).read_text("utf-8", "replace"))
        except FileNotFoundError:
            return cls()
        except OSError as e:
            _log.warning("netrc cannot be read: nothing in it is sent", file=file, error=e.strerror)
            return cls()

    def authorization(self, url: str) -> str | None:
        """Give the Authorization header for a URL; None where the file has no machine that covers it."""
        parts = urlsplit(url)
        prefix = f"{parts.netloc.rpartition('@')[2]}{parts.path}".removesuffix("/")
        while (found := self._by_machine.get(prefix)) is None and "/" in prefix:
            prefix = prefix.rpartition("/")[0]
        return found


def sends_in_clear(url: str, environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether requests for a URL carry credentials over plain http, from the URL itself or from the machine's netrc."""
    if urlsplit(url).scheme != "http":
        return False
    netrc = Netrc.from_environment(os.environ if environment is None else environment)
    return (url_authorization(url) or netrc.authorization(url)) is not None
