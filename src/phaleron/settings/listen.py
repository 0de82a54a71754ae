"""Listen addresses: `HOST:PORT`, `[IPV6]:PORT`, `:PORT` for every address, or `unix:PATH`."""

import re
from dataclasses import dataclass

_HOST_PORT = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\s:/\[\]]*)):(?P<port>[0-9]{1,5})"
).fullmatch


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: at `host` (`""` is every address) and `port` (0: a free one), or at the socket file `unix`."""

    host: str = ""
    port: int = 0
    unix: str = ""

    def __str__(self) -> str:
        """Write it as it is read."""
        if self.unix:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """Read a listen address. Raises ValueError that says what is expected."""
    if text.startswith("unix:"):
        if len(text) == len("unix:"):
            raise ValueError("names no path after unix:")
        return Listen(unix=text.removeprefix("unix:"))
    found = _HOST_PORT(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(f"must be HOST:PORT (port 0 to 65535), [IPV6]:PORT or unix:PATH, not {text!r}")
    return Listen(found["ipv6"] or found["host"], int(found["port"]))
