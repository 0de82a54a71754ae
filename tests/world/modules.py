"""Modules made up for tests: valid in every way, but for what a test wants to be wrong."""

import io
import json
import zipfile
from collections.abc import Mapping

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version

TIME = "2024-01-02T03:04:05Z"
PSEUDO = "v1.2.1-0.20240102030405-abcdef123456"


def module_zip(path: str, version: str, files: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """Make a module zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as z:
        for name, body in files.items():
            z.writestr(f"{path}@{version}/{name}", body)
    return out.getvalue()


def go_mod(path: str, require: Mapping[str, str] | None = None) -> bytes:
    """Write a go.mod."""
    lines = [f"module {path}\n", "\n", "go 1.21\n", *(f"\nrequire {p} {v}\n" for p, v in (require or {}).items())]
    return "".join(lines).encode()


def info(version: str, **more: object) -> bytes:
    """Write an .info."""
    return json.dumps({"Version": version, "Time": TIME, **more}).encode()


def package(path: str) -> str:
    """Give the package name that a module's root has."""
    last = next(e for e in reversed(path.split("/")) if not (e[0] == "v" and e[1:].isdigit()))
    return last.split(".")[0].replace("-", "").lower()


def bodies(
    path: str,
    versions: Mapping[str, Mapping[str, str]] | tuple[str, ...],
    *,
    mod: bytes | None = None,
    filling: bytes = b"",
    listed: tuple[str, ...] | None = None,
) -> dict[str, bytes]:
    """Make all that a GOPROXY server answers for a module, by path.

    `versions` are versions, or versions with what they require; `filling` makes the zips big; `listed` is what the list says where
    that is not the versions that are no pseudo-versions.
    """
    found: dict[str, bytes] = {}
    base = f"/{ModulePath(path).escaped}"
    for version in versions:
        require = versions[version] if isinstance(versions, Mapping) else {}
        escaped = Version(version).escaped
        text = go_mod(path, require) if mod is None else mod
        imports = "".join(f'import _ "{p}"\n' for p in require)
        files = {"go.mod": text, "m.go": f"package {package(path)}\n\n{imports}".encode()}
        if filling:
            files["filling.bin"] = filling
        if version.endswith("+incompatible"):
            text = f"module {path}\n".encode()
            files.pop("go.mod")
        found[f"{base}/@v/{escaped}.info"] = info(version)
        found[f"{base}/@v/{escaped}.mod"] = text
        found[f"{base}/@v/{escaped}.zip"] = module_zip(path, version, files, stored=bool(filling))
    names = listed if listed is not None else tuple(v for v in versions if "-0." not in v)
    found[f"{base}/@v/list"] = "".join(f"{v}\n" for v in names).encode()
    if versions:
        found[f"{base}/@latest"] = info(list(versions)[-1])
    return found
