"""Where modules come from, as the settings say: which GOPROXY entries there are, whether one is this server, what to type if none.

Light: nothing here opens a connection or a store.
"""

from phaleron.cli.failure import CommandFailed
from phaleron.gomod.errors import RuleError
from phaleron.settings import Loaded
from phaleron.settings.listen import parse_listen
from phaleron.sources.goproxy import Entry, is_self, parse_goproxy
from phaleron.telemetry.secrets import mask

_TYPE_THIS = (
    "type `phaleron serve --goproxy URL`, or set PHALERON_GO_PROXY, or `proxy` in the section [go] of phaleron.toml"
)


def names_server(goproxy: str, listen: str) -> bool:
    """Tell whether a GOPROXY list has an entry that is a server which listens at `listen`."""
    try:
        address = parse_listen(listen)
        entries = parse_goproxy(goproxy)
    except ValueError:
        return False  # what is wrong with them is told by those who use them
    return any(is_self(entry.url, address.host, address.port) for entry in entries if entry.is_url)


def upstreams(loaded: Loaded) -> tuple[Entry, ...]:
    """Give the entries of the GOPROXY list in force.

    Raises CommandFailed where there is neither an upstream nor `off`, with what to type.
    """
    proxy, place = loaded.settings.go.proxy, loaded.places["go", "proxy"]
    if not proxy:
        why = "; ".join(loaded.warnings) or "neither settings nor a Go environment name one"
        raise CommandFailed(f"no upstream proxy: {why}; {_TYPE_THIS}")
    try:
        entries = parse_goproxy(proxy)
    except RuleError as e:
        raise CommandFailed(f"{place}: go.proxy: {e}") from e
    if all(entry.url == "direct" for entry in entries):
        raise CommandFailed(
            f"no upstream proxy: go.proxy is {mask(proxy)!r} ({place}), and repositories cannot be read yet; {_TYPE_THIS}"
        )
    return entries
