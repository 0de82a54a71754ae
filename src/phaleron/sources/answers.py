"""Reading what an origin gives, in whatever way it gives it: lists, `.info`, go.mod, each held against its rules.

A body that breaks a rule is OriginFailed with a line that names the rule.
"""

from phaleron.errors import OriginFailed
from phaleron.gomod import semver
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import Info, parse_info, served_info
from phaleron.gomod.modfile import parse
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pseudo import is_pseudo
from phaleron.gomod.version import Query, Version, fits, is_version
from phaleron.sources.source import Answer

LIST_BYTES = 4 << 20
INFO_BYTES = 1 << 20
MOD_BYTES = 16 << 20
ZIP_BYTES = 500 << 20


def read_list(path: ModulePath, body: bytes, origin: str) -> Answer[tuple[Version, ...]]:
    """Read a list: the first word of each line, where it is a canonical version that may belong to the module.

    Pseudo-versions are left out, as clients leave them out; so are versions of another major version, which a client would
    try and fail with.
    """
    words = (line.split()[0] for line in body.decode(errors="replace").splitlines() if line.strip())
    found = {Version(w) for w in words if is_version(w) and not is_pseudo(w)}
    versions = tuple(sorted((v for v in found if fits(path, v)), key=semver.sort_key))
    return Answer(versions, "".join(f"{v}\n" for v in versions).encode(), origin)


def read_info(path: ModulePath, query: Version | Query | None, body: bytes, origin: str) -> Answer[Info]:
    """Read an `.info`. That of a version must be of that version; that of a query (None: latest), of one that may be the
    module's.
    """
    asked = query or "latest"
    try:
        info = parse_info(body)
    except RuleError as e:
        raise OriginFailed(f"{path}@{asked}: {origin}: {e}") from e
    if isinstance(query, Version) and info.version != query:
        raise OriginFailed(f"{path}@{asked}: {origin}: .info is of another version, {info.version}")
    if not fits(path, info.version):
        raise OriginFailed(f"{path}@{asked}: {origin}: .info names {info.version}, which cannot be a version of {path}")
    return Answer(info, served_info(body, info), origin)


def read_mod(path: ModulePath, version: Version, body: bytes, origin: str) -> Answer[bytes]:
    """Read a go.mod as a dependency's is read: unknown directives are no fault, and its bytes stay as they are."""
    try:
        parse(body, strict=False)
    except RuleError as e:
        raise OriginFailed(f"{path}@{version}: {origin}: {e}") from e
    return Answer(body, body, origin)
