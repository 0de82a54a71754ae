"""A small GOPROXY tree with one module of every shape, and a server for it."""

import gzip
import io
import zipfile
from pathlib import Path
from urllib.parse import unquote

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from tests.support.origin import Answering, Asked, Wire

UPPER = ModulePath("example.com/Upper/CASE")
INCOMPATIBLE = ModulePath("example.com/incompatible")
SECOND = ModulePath("example.com/second/v2")
PSEUDO = ModulePath("example.com/pseudo")
EMPTY = ModulePath("example.com/empty")
WRONG = ModulePath("example.com/wrong")
TOOLCHAIN = ModulePath("golang.org/toolchain")
ABSENT = ModulePath("example.com/absent")

OLDER = Version("v0.0.0-20240102030405-aaaaaaaaaaaa")
NEWER = Version("v0.0.0-20250102030405-bbbbbbbbbbbb")
NEWEST = Version("v0.0.0-20260102030405-cccccccccccc")
"""Of this one the tree has the go.mod alone, as a GOMODCACHE often does."""

GO = Version("v0.0.1-go1.99.0.linux-amd64")


def info_of(version: str, time: str = "2024-01-02T03:04:05Z") -> bytes:
    return (
        f'{{"Version":"{version}","Time":"{time}","Origin":{{"VCS":"git","URL":"https://git.example/x","Hash":"abc"}}}}'
    ).encode()


def mod_of(path: str) -> bytes:
    return f"module {path}\n\ngo 1.99\n\nfrobnicate yes\n".encode()


def zip_of(path: str, version: str, filling: int = 1000) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(f"{path}@{version}/go.mod", mod_of(path))
        z.writestr(f"{path}@{version}/m.go", b"package m\n" + b"// more\n" * filling)
    return out.getvalue()


def write_tree(root: Path) -> None:
    """Write the tree: lists, `@latest` of one module, and all three files of most versions."""

    def put(name: str, body: bytes | str) -> None:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body.encode() if isinstance(body, str) else body)

    def put_version(path: ModulePath, version: str) -> None:
        base = f"{path.escaped}/@v/{Version(version).escaped}"
        put(f"{base}.info", info_of(version))
        put(f"{base}.mod", mod_of(path))
        put(f"{base}.zip", zip_of(path, version))

    for path, versions in {
        UPPER: ["v1.10.0", "v1.9.0", "v1.10.0-RC1"],
        INCOMPATIBLE: ["v2.0.0+incompatible", "v1.0.0", "v0.9.0-alpha.1"],
        SECOND: ["v2.0.0"],
    }.items():
        put(f"{path.escaped}/@v/list", "".join(f"{v}\n" for v in versions))
        for version in versions:
            put_version(path, version)
    put(f"{UPPER.escaped}/@latest", info_of("v1.10.0"))
    put(f"{UPPER.escaped}/@v/main.info", info_of("v1.10.0"))
    put(f"{UPPER.escaped}/@v/!feature-1.info", info_of("v1.10.1-0.20240102030405-aaaaaaaaaaaa"))
    put(f"{INCOMPATIBLE.escaped}/@v/v2.0.0.info", info_of("v2.0.0+incompatible"))

    put(f"{PSEUDO.escaped}/@v/list", f"{NEWEST}\n{OLDER}\n{NEWER}\n")
    for version in (OLDER, NEWER):
        put_version(PSEUDO, version)
    put(f"{PSEUDO.escaped}/@v/{NEWEST}.mod", mod_of(PSEUDO))

    put(f"{EMPTY.escaped}/@v/list", "")

    put(f"{TOOLCHAIN.escaped}/@v/list", f"{GO}\n")
    put(f"{TOOLCHAIN.escaped}/@v/{GO}.zip", zip_of(TOOLCHAIN, GO))

    put(f"{WRONG.escaped}/@v/list", "<html><body>Please sign in</body></html>")
    put(f"{WRONG.escaped}/@latest", "{}")
    put(f"{WRONG.escaped}/@v/v1.0.0.info", info_of("v1.0.1"))
    put(f"{WRONG.escaped}/@v/main.info", info_of("v2.0.0"))
    put(f"{WRONG.escaped}/@v/v1.0.0.mod", 'module "example.com/wrong\n')


def serving(root: Path, prefix: str = "") -> Answering:
    """Serve a tree as the public proxies do: small files packed for whoever asks for that, absences with a reason."""

    async def answer(asked: Asked, wire: Wire) -> None:
        target = unquote(asked.target).removeprefix(f"{prefix}/")
        file = root / target
        if not asked.target.startswith(f"{prefix}/") or not file.is_file():
            await wire.send(404, f"not found: {target}: no such file".encode(), Content_Type="text/plain")
        elif "gzip" in asked.headers.get("accept-encoding", ""):
            await wire.send(200, gzip.compress(file.read_bytes()), Content_Encoding="gzip")
        else:
            await wire.send(200, file.read_bytes())

    return answer
