"""Cases for the rules of paths, versions and patterns: good ones from a grammar, and what becomes of them by mutation.

Each generator takes a random.Random and gives one text or several. Characters are those that Unicode 3.2 knows, so that every
oracle and every Python agree on what they are; lone surrogates reach the oracle as bytes that are no UTF-8.
"""

import random
import re
import unicodedata
from collections.abc import Callable

Rng = random.Random
Make = Callable[[Rng], str]

# fmt: off
ODD = [
    "!", "/", ".", "..", "~", "~1", "-", "_", "+", "@", " ", "\\", ":", "*", "'", '"', "`", "\n",
    "\r", "\t", "\0", "\x1c", "\x7f",
    "\x85", "\xa0", "\u2028", "\u200d", "\ufeff", "\ufffd", "\ud800", "\udc80", "\udfff", "A",
    "Z", "v", "0", "1", "9", "٣", "é",
    "中", "ſ", "\u212a", "İ", "ǆ", "𐐀", "//", "/v1", "/v2", "%", "=", ",", ";", "[", "]", "(", ")",
    "{", "}", "?", "^", "|", "<", "$",
]
HOSTS = ["example.com", "a.b", "x-y.example.org", "gopkg.in", "1.2.3", "sub.host.example.net", "a.b.c.d", "0.x"]
ELEMENTS = [
    "a", "repo", "Foo", "x-y", "x_y", "a.b", "B~c", "v", "v0x", "vv2", "1", "x~1y", "con1",
    "COM0", "lpt10", "a..b", "~", "x.~1", "com",
    "aux-x", "Burnt", "SUSHI", "go2",
]
ODD_ELEMENTS = [
    "con", "CON", "Aux.go", "nul", "prn.x", "com1", "Lpt9.b", "x~1", "x~12.a", "~1", ".x", "x.",
    "...", "", "-x", "a+b", "a b", "é",
    "a!b", "a@b", "LPT1~1", "com¹", ".", "..", "con.", "ſ", "a:b", "a$b",
]
MAJORS = ["/v2", "/v3", "/v10", "/v2000000000000000000000000"]
ODD_MAJORS = ["/v0", "/v1", "/v01", "/v2.3", "/v2.", "/v", "/V2", "/v2/", "/v.", "/v1.0.0", "/v00"]
GOPKG = [".v0", ".v1", ".v2", ".v3-unstable", ".v10", ".v1-unstable"]
ODD_GOPKG = [
    "", ".v", ".v01", ".v0-unstable", ".v-unstable", ".v2.1", "/v2", ".v1-Unstable", ".v2-stable", "v2", ".v00", "-unstable",
]
NUMBERS = ["0", "1", "2", "3", "9", "10", "19", "99", "100", "1000000007", "9" * 25, "1" + "0" * 30]
ODD_NUMBERS = ["", "00", "01", "-1", "x", "٣", "1_0", " 1", "+1"]
PRERELEASES = [
    "pre", "rc.1", "rc1", "RC1", "0", "0.1", "alpha.beta", "a-b", "-", "--", "x.0.y", "beta.11",
    "beta.2", "1", "10", "9" * 22, "0a", "00a",
    "pre.0", "0.0",
]
ODD_PRERELEASES = ["", ".", "01", "a.", "a..b", ".a", "a.01", "a_b", "é", "a b", "00", "1.00.a"]
BUILDS = ["incompatible", "meta", "001", "a.b", "exp.sha-5114", "0", "incompatible.x", "-"]
ODD_BUILDS = ["", ".", "a.", "a..b", "a+b", "é", "incompatible+incompatible", "a_b"]
STAMPS = [
    "20191109021931", "20060102150405", "00000229000000", "19700101000000", "20240229235959", "99991231235959",
    "00010101000000",
]
ODD_STAMPS = [
    "20190229000000", "00000230000000", "20191301000000", "20191109240000", "20191109026060", "20191100000000",
    "2019110902193", "201911090219311", "2019110902193x",
]
REVISIONS = ["daa7c04131f5", "000000000000", "abcdef123456", "000000001234", "a", "Z9", "20200101000000"]
ODD_REVISIONS = ["", "a.b", "a_b", "é", "a b"]
GLOB_PIECES = [
    "*", "?", "[a-z]", "[^a]", "[A-Z0-9]", "a", "b", "example", ".com", "x", "[b-a]", "[^b-a]",
    "[^b-a]", "[/ab]", "\\a", "\\*", "[\\]a]",
    "[a-cx]", "**", "[[]", "-", "[/a]", "[^/]",
]
ODD_GLOB_PIECES = [
    "[", "[]", "[]a]", "[a", "[a-", "[a-]", "[-a]", "\\", "[^]", "[^]a]", "[\\", "]", "[*", "[a\\", "[a-\\", "\n", "[a-b-c]",
]
# fmt: on


def _known() -> str:
    points = (chr(n) for n in range(0x80, 0x20000) if not 0xD800 <= n < 0xE000)
    return "".join(c for c in points if unicodedata.ucd_3_2_0.category(c) != "Cn")


KNOWN = _known()


def oddity(rng: Rng) -> str:
    return rng.choice(KNOWN) if rng.random() < 0.15 else rng.choice(ODD)


def mutated(rng: Rng, text: str, times: int = 1) -> str:
    """Spoil a text here or there; now and then it stays good."""
    for _ in range(rng.randint(1, times)):
        at = rng.randint(0, len(text))
        end = rng.randint(at, min(len(text), at + 6))
        match rng.randrange(8):
            case 0 | 1 | 2:
                text = text[:at] + oddity(rng) + text[at:]
            case 3:
                text = text[:at] + oddity(rng) + text[at + 1 :]
            case 4:
                text = text[:at] + text[end:]
            case 5:
                text = text[:end] + text[at:end] + text[end:]
            case 6:
                text = text[:at] + text[at:end].swapcase() + text[end:]
            case _:
                text = (
                    text[:at] + text[at:end] * rng.choice([2, 3, 40, 2000 if rng.random() < 0.02 else 5]) + text[end:]
                )
    return text


def spoilt(make: Make, odds: float = 0.5) -> Make:
    """Make what `make` makes, mutated in as many cases as `odds` says."""
    return lambda rng: mutated(rng, make(rng), 2) if rng.random() < odds else make(rng)


def mostly(rng: Rng, good: list[str], odd: list[str], odds: float = 0.06) -> str:
    return rng.choice(odd if rng.random() < odds else good)


def module_path(rng: Rng, odds: float = 0.06) -> str:
    host = rng.choice(HOSTS)
    elements = [mostly(rng, ELEMENTS, ODD_ELEMENTS, odds) for _ in range(rng.randint(0, 3))]
    path = "/".join([host, *elements])
    if host == "gopkg.in":
        return path + mostly(rng, GOPKG, ODD_GOPKG, odds * 2)
    return path + (mostly(rng, MAJORS, ODD_MAJORS, odds * 3) if rng.random() < 0.4 else "")


def import_path(rng: Rng) -> str:
    words = [*ELEMENTS, ".x", "a+b", "c++"]
    return "/".join(mostly(rng, words, ODD_ELEMENTS) for _ in range(rng.randint(1, 4)))


def file_path(rng: Rng) -> str:
    words = [*ELEMENTS, ".x", "a+b", "a b", "é", "x~1", "-x", "中文", "[x]", "a@b", "{a,b}", "#$%&", rng.choice(KNOWN)]
    return "/".join(mostly(rng, words, ODD_ELEMENTS, 0.1) for _ in range(rng.randint(1, 4)))


def escaped(make: Make) -> Make:
    return lambda rng: re.sub("[A-Z]", lambda m: "!" + m[0].lower(), make(rng))


def version(rng: Rng, odds: float = 0.04) -> str:
    numbers = [mostly(rng, NUMBERS, ODD_NUMBERS, odds) for _ in range(3)]
    if rng.random() < 0.12:
        return "v" + ".".join(numbers[: rng.randint(1, 2)])
    text = "v" + ".".join(numbers)
    if rng.random() < 0.5:
        text += "-" + mostly(rng, PRERELEASES, ODD_PRERELEASES, odds * 2)
    if rng.random() < 0.35:
        text += "+" + (mostly(rng, BUILDS, ODD_BUILDS, odds * 2) if rng.random() < 0.6 else "incompatible")
    return text


def canonical(rng: Rng) -> str:
    text = version(rng, 0.01)
    return text if rng.random() < 0.1 else re.sub(r"\+(?!incompatible\Z).*", "", text)


def query(rng: Rng) -> str:
    return rng.choice(
        [
            canonical,
            lambda r: mostly(r, ["main", "v1", "latest", "Feature-X", "release.2", "abc123", "a b", "a!b", "x/y"], ODD),
        ]
    )(rng)


def pseudo(rng: Rng) -> str:
    odds = 0.05
    tail = f"{mostly(rng, STAMPS, ODD_STAMPS, 0.12)}-{mostly(rng, REVISIONS, ODD_REVISIONS, odds)}"
    numbers = ".".join(mostly(rng, NUMBERS, ODD_NUMBERS, 0.01) for _ in range(3))
    text = rng.choice(
        [
            f"v{rng.choice(NUMBERS)}.0.0-{tail}",
            f"v{numbers}-0.{tail}",
            f"v{numbers}-{mostly(rng, PRERELEASES, ODD_PRERELEASES, odds)}.0.{tail}",
            f"v{numbers}-{tail}" if rng.random() < 0.3 else f"v1.2.{rng.choice(NUMBERS)}-0.{tail}",
        ]
    )
    return text + ("+" + mostly(rng, BUILDS, ODD_BUILDS, odds) if rng.random() < 0.25 else "")


def path_and_version(rng: Rng) -> list[str]:
    """Give a path and a version, whose majors agree in about half of the cases."""
    path = module_path(rng, 0.03)
    text = rng.choice([canonical, version, pseudo])(rng)
    tail = re.search(r"[/.]v([0-9]+)(-unstable)?$", path)
    if rng.random() < 0.7:
        major = tail[1] if tail else rng.choice("01")
        text = re.sub(r"^v[0-9]+", f"v{major}", text)
        if rng.random() < 0.7:
            text = re.sub(r"[+].*", "", text)
    if rng.random() < 0.15:
        return [mutated(rng, path), text]
    return [path, mutated(rng, text) if rng.random() < 0.1 else text]


def two_versions(rng: Rng) -> list[str]:
    first = spoilt(version, 0.08)(rng)
    if rng.random() < 0.4:
        head = first.partition("-")[0].partition("+")[0]
        return [f"{head}-{mostly(rng, PRERELEASES, ODD_PRERELEASES)}" for _ in range(2)]
    if rng.random() < 0.4:
        return [first, first if rng.random() < 0.1 else mutated(rng, first)]
    return [first, spoilt(version, 0.08)(rng)]


def versions(rng: Rng) -> list[str]:
    few = [version(rng, 0.005) for _ in range(rng.randint(1, 4))]
    almost = [f"{text.partition('+')[0]}+{rng.choice(BUILDS)}" for text in few if text.count(".") > 1]
    listed = [*few, *almost, *few[:1]]
    return rng.sample([mutated(rng, text) if rng.random() < 0.13 else text for text in listed], len(listed))


def glob(rng: Rng) -> str:
    def element() -> str:
        return "".join(mostly(rng, GLOB_PIECES, ODD_GLOB_PIECES, 0.05) for _ in range(rng.randint(1, 4)))

    return "/".join(element() for _ in range(rng.randint(1, 3))) + rng.choice(["", "", "", "/", "//"])


def patterns_and_path(rng: Rng) -> list[str]:
    """Give a list and a path; half of the lists are made from the path."""
    if rng.random() < 0.25:
        return _crossing(rng)
    path = "/".join(
        rng.choice(["a", "b", "ab", "x", "example.com", "A1", "axb", "", "]", "*", "aab", "ba"])
        for _ in range(rng.randint(1, 4))
    )
    globs = [glob(rng) for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.6:
        head = path.split("/")[: rng.randint(1, 4)]
        made = "/".join("".join(_covering(rng, c) for c in element) for element in head)
        globs.append(made + rng.choice(["", "", "/"]))
    text = rng.choice([",", ",", ",", ",,", ", "]).join(rng.sample(globs, len(globs)))
    if rng.random() < 0.1:
        text = "".join(c for c in mutated(rng, text) if c.isascii())
    return [text, path]


def _crossing(rng: Rng) -> list[str]:
    """Give a pattern whose classes hold slashes, and a path with as many: here it counts that Go never comes back to a star."""
    pieces = ["*", "*", "[/a]", "[^b-a]", "[/]", "[^b]", "a", "b", "?"]
    text = "".join(rng.choice(pieces) for _ in range(rng.randint(2, 6)))
    if rng.random() < 0.5:
        text = (
            f"*{rng.choice(['[/a]', '[^b/]', '[/b]'])}*{rng.choice(['[/]', '/', '[/a]'])}{rng.choice(['b', 'a', ''])}"
        )
    letters = [*"/" * text.count("/"), *(rng.choice("ab") for _ in range(rng.randint(0, 4)))]
    return [text, "".join(rng.sample(letters, len(letters)))]


def _covering(rng: Rng, character: str) -> str:
    ways = [character] * 5 + [
        "?",
        f"[{character}]",
        f"[!-{character}]",
        f"\\{character}",
        "*",
        "[^~]",
        f"*{character}",
        f"{character}*",
    ]
    return rng.choice(ways)
