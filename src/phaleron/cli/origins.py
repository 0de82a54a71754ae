"""Where modules come from, as the settings say: which GOPROXY entries there are, whether one is this server, what to type if none.

Light: nothing here opens a connection or a store.
"""

from phaleron.cli.failure import CommandFailed
from phaleron.errors import PhaleronError
from phaleron.gomod.errors import RuleError
from phaleron.settings import Loaded
from phaleron.settings.load import DEFAULT
from phaleron.sources.goproxy import Entry, is_self, parse_goproxy
from phaleron.telemetry.secrets import mask

# Entries of a GOPROXY list that are words and no addresses.
_WORDS = ("direct", "off")


def names_server(goproxy: str, listen: str) -> bool:
    """Tell whether a GOPROXY list has an entry that is a server which listens at `listen`."""
    try:
        entries = parse_goproxy(goproxy)
    except (RuleError, PhaleronError):
        return False  # `upstreams` says what is wrong with it
    return any(is_self(entry.url, listen) for entry in entries if entry.url not in _WORDS)


def upstreams(loaded: Loaded) -> tuple[Entry, ...]:
    """Give the entries of the GOPROXY list in force.

    Raises CommandFailed where there is neither an upstream nor `off`, with what to type.
    """
    proxy, place = loaded.settings.go.proxy, loaded.places["go", "proxy"]
    type_this = (
        "type `phaleron serve --goproxy URL`, or set PHALERON_GO_PROXY, or `proxy` in the section [go] of phaleron.toml"
    )
    if not proxy:
        skipped = "; ".join(loaded.warnings)
        why = skipped or "neither settings nor a Go environment name one"
        raise CommandFailed(f"no upstream proxy: {why}; {type_this}")
    try:
        entries = parse_goproxy(proxy)
    except (RuleError, PhaleronError) as e:
        raise CommandFailed(f"{place}: go.proxy: {e}") from e
    if all(entry.url == "direct" for entry in entries):
        where = "" if place == DEFAULT else f" ({place})"
        raise CommandFailed(
            f"no upstream proxy: go.proxy is {mask(proxy)!r}{where}, and repositories cannot be read yet; {type_this}"
        )
    return entries
