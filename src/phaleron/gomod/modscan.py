"""The module path of a go.mod, found without reading the rest: also in one that newer versions of Go alone can read.

Source: golang.org/x/mod/modfile, ModulePath.
"""

from phaleron.gomod.gotext import decode, trim
from phaleron.gomod.unquote import unquote


def module_path(data: bytes) -> str:
    """Give what the first line that begins with `module` names, unchecked; `""` where there is none, or its quotes are broken."""
    for line in decode(data).split("\n"):
        words = trim(line.partition("//")[0])
        name = trim(words.removeprefix("module"))
        if not words.startswith("module") or not name or words == f"module{name}":
            continue
        return (unquote(name) or "") if name[0] in '"`' else name
    return ""
