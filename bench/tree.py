"""The served tree: 1,000 modules and ten big ones, valid in every way, the same on every machine.

Each has an .info of about 150 bytes, a go.mod of about 3 KB, a list of 136 versions and a zip of 300 KB; the big ones' zips
have 30 MB.
"""

import io
import json
import random
import zipfile
from pathlib import Path

MODULES, BIG = 1000, 10
_STAMP = "1"
KINDS = ("info", "mod", "list", "zip", "big")


def _zip(path: str, version: str, mod: bytes, filling: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr(zipfile.ZipInfo(f"{path}@{version}/go.mod"), mod)
        z.writestr(zipfile.ZipInfo(f"{path}@{version}/filling.bin"), filling)
    return out.getvalue()


def _write(root: Path, path: str, version: str, filling: bytes) -> str:
    at_v = root / "tree" / path / "@v"
    at_v.mkdir(parents=True)
    require = "".join(f"\texample.com/dependency{n}/package v1.{n}.0\n" for n in range(65))
    mod = f"module {path}\n\ngo 1.21\n\nrequire (\n{require})\n".encode()
    origin = {"VCS": "git", "URL": f"https://{path}", "Hash": "0123456789abcdef" * 2}
    (at_v / f"{version}.info").write_text(
        json.dumps({"Version": version, "Time": "2024-01-02T03:04:05Z", "Origin": origin})
    )
    (at_v / f"{version}.mod").write_bytes(mod)
    (at_v / f"{version}.zip").write_bytes(_zip(path, version, mod, filling))
    (at_v / "list").write_text("".join(f"v1.{a}.{b}\n" for a in range(17) for b in range(8)))
    return f"/{path}/@v/{version}"


def make(root: Path) -> None:
    """Write the tree below `root/tree` and the lists of paths beside it, unless they are there."""
    mark = root / "stamp"
    if mark.exists() and mark.read_text() == _STAMP:
        return
    rng = random.Random(7)
    paths: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for n in range(MODULES):
        base = _write(root, f"github.com/acme{n % 50}/module-{n:04d}", f"v1.{n % 17}.{n % 8}", rng.randbytes(300_000))
        for kind in ("info", "mod", "zip"):
            paths[kind].append(f"{base}.{kind}")
        paths["list"].append(f"{base.rpartition('/')[0]}/list")
    for n in range(BIG):
        paths["big"].append(_write(root, f"example.com/big{n}", "v1.0.0", rng.randbytes(30_000_000)) + ".zip")
    for kind, lines in paths.items():
        (root / f"paths.{kind}").write_text("".join(f"{line}\n" for line in lines))
    mark.write_text(_STAMP)
