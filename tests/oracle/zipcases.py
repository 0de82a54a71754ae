"""Cases for the rules of module zips: names, lists of files and declared sizes, about half of them good.

Each rule has a generator, which takes a random.Random and gives one case. Characters are those that Unicode 15.0 knows, so
that an oracle with older tables than ours agrees.
"""

import random
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from phaleron.gomod.modzip import MAX_LICENSE_BYTES, MAX_MOD_BYTES

Question = dict[str, Any]
Rng = random.Random
MODULE, VERSION = "example.com/m", "v1.0.0"
PREFIX = f"{MODULE}@{VERSION}/"
MIB = 1 << 20


def b64(name: str) -> str:
    """Give a name as the oracle takes it: its bytes in base64."""
    return b64encode(name.encode("utf-8", "surrogateescape")).decode()


def unb64(text: str) -> str:
    """Give a name as os.fsdecode would."""
    return b64decode(text).decode("utf-8", "surrogateescape")


# fmt: off
PLAIN = [
    "a", "b", "c.go", "doc", "README.md", "x-y", "pkg", "_t", "a b", ".github", "-x", "x~1", "é", "中文", "ß", "x@v1",
]
ODD = [
    "", ".", "..", "...", "x.", ".x.", "con", "CON.txt", "Aux", "nul.go", "com1", "lpt9.x", "COM0", "com10", "prn~1",
    "a\\b", "a:b", "a*b", "a?b", "a<b", "a>b", 'a"b', "a'b", "a`b", "a|b", "\0", "a\nb", "\x7f", "e\u0301", "٣",
    "\u200d", "☃", "\udcff", "a\udcc3", "\ufffd", "a;b",
]
ORBITS = [
    "kK\u212a", "sSſ", "σςΣ", "ßẞ", "iI", "İ", "ı", "åÅ\u212b", "ǆǅǄ", "θϴϑΘ", "µμΜ", "вᲀВ", "ꙋꙊᲈ", "𐐀𐐨", "Ꭰꭰ", "xX",
    "ωΩ\u2126", "ﬀ", "f", "éÉ", "е", "e",
]
"""Characters that fold to one stand together."""
FOLDING = [*(character for orbit in ORBITS for character in orbit), "ss", "ff"]
PATHS = [
    "example.com/m", "example.com/m/v2", "example.com/m/v3", "gopkg.in/m.v1", "gopkg.in/m.v2-unstable",
    "example.com/m/v1", "Example.com", "m",
]
VERSIONS = [
    "v0.1.0", "v1.0.0", "v1.2.3-RC1", "v2.0.0", "v2.0.0+incompatible", "v3.1.4", "v0.0.0-20200101000000-abcdefabcdef",
    "v1.0.0+meta", "v1.0", "v1", "1.0.0", "v01.0.0", "v2.0.0-pre+incompatible", "v1.0.0-con", "",
]
GO_LINES = [
    "", "go 1.16", "go 1.23", "go 1.23.9", "go 1.24", "go 1.24.0", "go 1.24rc1", "go 1.25.1", "go 2.0",
]
ODD_GO_LINES = [
    "go 1.24.1rc1", "go 1.24x", "go v1.24", "go 1.024", "go 1", "go 1.9999999999999999999", "go 1.24\ngo 1.24",
    "bogus (", "go 1.24-corp",
]
VENDOR_NAMES = [
    "vendor/modules.txt", "vendor/a.go", "vendor/p/a.go", "vendor/p/q/a.go", "pkg/vendor/vendor.go", "pkg/vendor/p/a.go",
    "a/vendor/b", "p/q/vendor/modules.txt", "vendor", "xvendor/p/a.go", "Vendor/p/a.go", "vendor/vendor/a", "a/b/vendor/c",
    "abcdefgh/vendor/x", "a/vendor/b/vendor/c",
]
NESTED_MODS = [
    "go.mod", "sub/go.mod", "sub/GO.MOD", "a/b/go.Mod", "sub/go.mod.txt", "vendor/go.mod", "Sub/go.mod", "sub/go.mod/x",
]
UNCLEAN = [
    "", ".", "..", "/", "//", "/a", "//a", "a/", "a//b", "./a", "a/.", "../a", "a/../b", "/..", "../..", "../../a", "/a/b",
]
WRONG_PREFIXES = [
    "", MODULE + "/", f"{MODULE}@v1.0.1/", PREFIX[:-1], PREFIX.upper(), "/" + PREFIX, "./" + PREFIX, PREFIX + "/",
]
TREE = [
    "main.go", "go.mod", "LICENSE", "sub/a.go", "sub/deep/b.go", "other/c.go", "doc/é.txt", "Sub2/a.go", "a-b/c",
    "a.b/c", "a/b/c", "vendor/main.go", "x/vendor/z", ".github/x",
]
SPOILING = [
    "x/vendor/p/y.go", "x/vendor/y.go", "vendor/p/q.go", "vendor/modules.txt", ".hg_archival.txt", "sub/go.mod",
    "sub/GO.MOD", ".git/HEAD", "sub/.git/x", ".svn/a", "vendor/p/go.mod", "vendor/p/.git/HEAD", "GO.MOD", "MAIN.GO",
    "a b/c;d", "con", "x.", "doc/\udcff",
]
# fmt: on


def shuffled(rng: Rng, items: list[Any]) -> list[Any]:
    return rng.sample(items, len(items))


def path_of(rng: Rng, elements: list[str], most: int = 3) -> str:
    return "/".join(rng.choice(elements) for _ in range(rng.randint(1, most)))


def with_one(rng: Rng, elements: list[str], odd: list[str]) -> str:
    parts = path_of(rng, elements).split("/")
    parts.insert(rng.randint(0, len(parts)), rng.choice(odd))
    return "/".join(parts)


def some(rng: Rng, make: Callable[[], str], least: int = 1, most: int = 4) -> list[str]:
    return [make() for _ in range(rng.randint(least, most))]


def distinct(rng: Rng, least: int = 1, most: int = 4) -> list[str]:
    """Give names that go together."""
    return [f"{n}{path_of(rng, PLAIN)}" for n in range(rng.randint(least, most))]


def refolded(rng: Rng, name: str) -> str:
    """Give another spelling of a name that folds to the same, mostly."""
    if rng.random() < 0.8:
        name = "".join(rng.choice(next((o for o in ORBITS if c in o), c)) for c in name)
    return name if rng.random() < 0.7 else rng.choice([str.upper, str.lower, str.casefold, str.swapcase])(name)


def colliding(rng: Rng) -> list[str]:
    first = path_of(rng, FOLDING, 2) + rng.choice(["", "/f"])
    second = refolded(rng, first)
    if second == first or rng.random() < 0.15:
        second = path_of(rng, FOLDING, 2) + "/f"
    return [first, second]


def both_kinds(rng: Rng) -> list[str]:
    names = [path_of(rng, ["a", "b", "c", "d", "e"]) for _ in range(2)]
    return shuffled(rng, [*names, *(f"{name}/f" for name in names[:1] if rng.random() < 0.3)])


def zip_names(rng: Rng, make: Callable[[Rng], list[str]]) -> list[tuple[str, int]]:
    return [(PREFIX + name, 0) for name in make(rng)]


def prefixed(rng: Rng) -> list[tuple[str, int]]:
    prefixes = [PREFIX] * 9 + [rng.choice(WRONG_PREFIXES)]
    return [(rng.choice(prefixes) + name, 0) for name in distinct(rng, 3, 8)]


def mod_places(rng: Rng) -> list[str]:
    names = ["go.mod"] * 4 + ["GO.MOD", "Go.mod", "go.moD", "gO.mod/x", "go.mod.bak", "xgo.mod", "go.sum"]
    return [*distinct(rng, 0, 2), ("" if rng.random() < 0.6 else "sub/") + rng.choice(names)]


def sized(name: str, limit: int) -> Callable[[Rng], list[tuple[str, int]]]:
    def make(rng: Rng) -> list[tuple[str, int]]:
        size = limit + rng.choice([-1, 0, 1, 2, 3, rng.randint(-9 * MIB, 9 * MIB)])
        name_here = rng.choice([name] * 6 + [name.lower(), f"sub/{name}x"])
        return [(f"{PREFIX}other", rng.randint(0, 9)), (PREFIX + name_here, size)]

    return make


def total_size(rng: Rng) -> list[tuple[str, int]]:
    parts = [rng.randint(0, 160 * MIB) for _ in range(rng.randint(1, 3))]
    last = 500 * MIB - sum(parts) + rng.choice([-1, 0, 0, 1, 2, rng.randint(-20 * MIB, 20 * MIB)])
    return [(f"{PREFIX}f{n}", size) for n, size in enumerate([*parts, last])]


def with_directories(rng: Rng) -> list[str]:
    names = [path_of(rng, ["a", "b", "c"]) + rng.choice(["", "", "/"]) for _ in range(rng.choice([3, 3, 4]))]
    return [*dict.fromkeys(names), *rng.choice([[], [""], ["z/"], ["go.mod/"]])]


ZIP_RULES: dict[str, Callable[[Rng], list[tuple[str, int]]]] = {
    "the prefix of names": prefixed,
    "names that no file path may have": lambda rng: zip_names(
        rng, lambda r: [*distinct(r, 0, 2), path_of(r, PLAIN) if r.random() < 0.5 else with_one(r, PLAIN, ODD)]
    ),
    "names that fold to one": lambda rng: zip_names(rng, colliding),
    "names of a file and of a directory": lambda rng: zip_names(rng, both_kinds),
    "entries for directories": lambda rng: zip_names(rng, with_directories),
    "the place and case of go.mod": lambda rng: zip_names(rng, mod_places),
    "the size of go.mod": sized("go.mod", MAX_MOD_BYTES),
    "the size of LICENSE": sized("LICENSE", MAX_LICENSE_BYTES),
    "the size of all files": total_size,
}


def source(name: str, kind: str = "regular", size: int | None = None, content: str = "") -> Question:
    data = content.encode()
    return {
        "name": b64(name),
        "type": kind,
        "size": len(data) if size is None else size,
        "content": b64encode(data).decode(),
    }


def mod_file(rng: Rng, lines: list[str]) -> list[Question]:
    return [source("go.mod", content=f"module {MODULE}\n\n{rng.choice(lines)}\n")] if rng.random() < 0.9 else []


def plain_files(names: list[str]) -> list[Question]:
    return [source(name, content=name if name.isascii() else "x") for name in names]


def vendor_names(rng: Rng, share: float) -> list[str]:
    kept = ["main.go", "vendor/b.go", "vendor.go", "internal/a.go"]
    return [
        rng.choice(VENDOR_NAMES if rng.random() < share else kept) + (f".{n}" if rng.random() < 0.3 else "")
        for n in range(rng.randint(1, 4))
    ]


def vendored(lines: list[str], share: float = 0.35) -> Callable[[Rng], list[Question]]:
    def make(rng: Rng) -> list[Question]:
        names = list(dict.fromkeys(vendor_names(rng, share)))
        return shuffled(rng, mod_file(rng, lines) + plain_files(names))

    return make


def nested(rng: Rng) -> list[Question]:
    mods = NESTED_MODS
    kinds = ["regular"] * 3 + ["symlink", "directory", "other"]
    names = ["sub/x", "a/b/c/d", "a/x", "sub2/x", "main.go", "a/b.go"]
    files = [
        source(
            rng.choice(mods[:1] + mods[4:5] if rng.random() < 0.55 else mods),
            rng.choice(kinds if rng.random() < 0.4 else kinds[:1]),
        )
    ]
    return shuffled(rng, files + plain_files(rng.sample(names, rng.randint(1, 4))))


def typed(kinds: list[str]) -> Callable[[Rng], list[Question]]:
    def make(rng: Rng) -> list[Question]:
        return [source(name, rng.choice(kinds) if rng.random() < 0.2 else "regular") for name in distinct(rng, 2, 5)]

    return make


def one_of(good: list[str], bad: list[str]) -> Callable[[Rng], list[Question]]:
    def make(rng: Rng) -> list[Question]:
        return plain_files([*distinct(rng, 0, 2), rng.choice(good if rng.random() < 0.5 else bad)])

    return make


def sizes(make: Callable[[Rng], list[tuple[str, int]]]) -> Callable[[Rng], list[Question]]:
    return lambda rng: [source(name.removeprefix(PREFIX), size=size) for name, size in make(rng)]


def anything(rng: Rng) -> list[Question]:
    elements = PLAIN * 3 + ODD + FOLDING + ["vendor", "go.mod", "GO.MOD", "LICENSE", ".hg_archival.txt", "modules.txt"]
    kinds = ["regular"] * 9 + ["symlink", "directory", "other"]
    names = some(rng, lambda: path_of(rng, elements if rng.random() < 0.2 else PLAIN), 1, 4)
    return mod_file(rng, GO_LINES) + [source(name, rng.choice(kinds)) for name in names]


FILE_RULES: dict[str, Callable[[Rng], list[Question]]] = {
    "names that are not clean or not relative": one_of(["a/b", "a", "...a", "a/..b"], UNCLEAN),
    "vendored packages by the old rule": vendored(GO_LINES[:4]),
    "vendored packages by the new rule": vendored(GO_LINES[4:], 0.5),
    "vendored packages and odd go lines": vendored(ODD_GO_LINES),
    "nested modules": nested,
    "what hg inserts": one_of([".hg_archival.txt2", "a/.hg_archival.txt", ".HG_archival.txt"], [".hg_archival.txt"]),
    "names that no file path may have": lambda rng: plain_files(
        [*distinct(rng, 0, 2), path_of(rng, PLAIN) if rng.random() < 0.6 else with_one(rng, PLAIN, ODD)]
    ),
    "the case of go.mod": lambda rng: plain_files(mod_places(rng)),
    "names that fold to one": lambda rng: plain_files(colliding(rng)),
    "names of a file and of a directory": lambda rng: plain_files(both_kinds(rng)),
    "symbolic links": typed(["symlink"]),
    "irregular files": typed(["other", "directory"]),
    "the size of go.mod": sizes(sized("go.mod", MAX_MOD_BYTES)),
    "the size of LICENSE": sizes(sized("LICENSE", MAX_LICENSE_BYTES)),
    "the size of all files": sizes(total_size),
    "all rules together": anything,
}
