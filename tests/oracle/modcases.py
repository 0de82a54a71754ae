"""Cases for go.mod files and `.info` files, made from a grammar and spoilt at one place or none."""

import json
import random
from collections.abc import Callable

from tests.oracle.rulecases import KNOWN, mostly, mutated, oddity

Rng = random.Random

# fmt: off
PATHS = [
    "example.com/a", "example.com/b/v2", "gopkg.in/x.v1", "a.b/C", '"example.com/q"', '"a\\tb"', "x", '"\\u00e9\\xff\\x41"',
    "gopkg.in/y.v3-unstable",
]
ODD_PATHS = [
    '"\\777x"', '"\\377x"',
    "`raw`", '"a', "a'b", 'a"b', '"\\q"', "a/v1", "gopkg.in/x", "(", ",", '""', "a//b", "é", '"\\ud800"', '"a\\\nb"',
    "\ufeff", "[x]",
]
FITTING = {
    "example.com/b/v2": ["v2.0.0", "v2.1.0-pre", "v2", "v2.3+meta"],
    "gopkg.in/x.v1": ["v1.0.0", "v0.0.0-20161208181325-20d25e280405"], "gopkg.in/y.v3-unstable": ["v3.1.0"],
}
VERSIONS = [
    "v1.0.0", "v0.1.0", "v1.2.3-pre.1", "v2.0.0+incompatible", "v1", "v1.2", '"v1.0.0"', "v1.0.0+meta",
    "v0.0.0-20191109021931-daa7c04131f5",
]
ODD_VERSIONS = [
    "v2.0.0", "1.0.0", "v1.0", "latest", "v01.0.0", "`v1.0.0`", "v1.0.0.0", '"v1', "=>", "[", "v1.0.0,", '"v1.\\x30.0"',
    "v3.0.0",
]
GO = ["1.21", "1.21.0", "1.16", "1.24rc1", "1.9999999999"]
ODD_GO = [
    "1", "v1.21", "1.21x", "1.021", '"1.21"', "1.21.0.0", "go1.21", "1.21-corp", "v1.2.3.4", "2", "1.21 1.22", "1.21\u00e9",
    "0.1",
]
TOOLCHAINS = ["go1.21.0", "default", "go1", "go1.23.4-corp"]
ODD_TOOLCHAINS = ["1.21", "go2", "go12", "defaults", '"go1.21"', "local", ""]
GODEBUGS = ["a=b", "default=go1.21", "x=", "=y", "a=b=c"]
ODD_GODEBUGS = ["a", "a=b c=d", '"a=b"', "a=b,c=d", "a='b'"]
DIRECTORIES = ["./x", "../x", "/abs", ".", "..", "C:/x", "./a-b"]
ODD_DIRECTORIES = ["x", "a@v1.0.0", ".\\x", "C:\\x", '"./a b"', "...", "", "\\x", "c:"]
COMMENTS = [
    " indirect", " indirect; because", "indirect", " indirectly", " Deprecated: use b", " Deprecated:", "", " why",
    "\tspaced \u00a0", " \x1c x \x1d", " a // b", "// c", " // indirect", " Deprecated: é\r", "\u3000indirect\u2003",
    "\x1cindirect",
]
JUNK = [
    "unknown a b", "unknown (\n\tx y\n)", "go (\n\t1.21\n)", "require", "require (", ")", "module (", "(", "a b (", "/* x */",
    "x /* y", "retract ( x", "a ( b )", "require ()\n", "require ( )", "foo \"x\\\ny\"", '"module" x', "require ( ) x",
    "\x00", "[", "use ./x", "module\u00a0x", "tool", "ignore a b", "require () // indirect", ") x", '"',
]
# fmt: on


def _comment(rng: Rng, odds: float) -> str:
    return f" //{rng.choice(COMMENTS)}" if rng.random() < odds else ""


def _required(rng: Rng, odds: float) -> str:
    path = mostly(rng, PATHS, ODD_PATHS, odds)
    return f"{path} {mostly(rng, FITTING.get(path, VERSIONS), ODD_VERSIONS, odds)}"


def _replaced(rng: Rng, odds: float) -> str:
    old = rng.choice([_required(rng, odds), mostly(rng, PATHS, ODD_PATHS, odds)])
    new = rng.choice([_required(rng, odds), mostly(rng, DIRECTORIES, ODD_DIRECTORIES, odds)])
    return f"{old} {mostly(rng, ['=>'], ['', '->', '=> =>', '=>x', '= >'], odds / 2)} {new}"


def _retracted(rng: Rng, odds: float) -> str:
    low, high = (mostly(rng, VERSIONS, ODD_VERSIONS, odds) for _ in range(2))
    text = low if rng.random() < 0.5 else f"[{low}, {high}]"
    return (
        text
        if rng.random() > odds
        else rng.choice(
            [f"{text} x", f"[{low} {high}]", f"[{low},", "[", f"({low})", "", f"{text},", f"[{low}, {high}"]
        )
    )


def _one(good: list[str], odd: list[str]) -> Callable[[Rng, float], str]:
    return lambda rng, odds: mostly(rng, good, odd, odds)


VERBS: dict[str, Callable[[Rng, float], str]] = {
    "require": _required,
    "exclude": _required,
    "replace": _replaced,
    "retract": _retracted,
    "godebug": _one(GODEBUGS, ODD_GODEBUGS),
    "tool": _one(PATHS, ODD_PATHS),
    "ignore": _one(DIRECTORIES, ODD_DIRECTORIES),
}


def _comment_lines(rng: Rng, indent: str) -> list[str]:
    lines = [rng.choice([f"{indent}//{rng.choice(COMMENTS)}", f"{indent}//", ""]) for _ in range(rng.randint(1, 4))]
    return lines if rng.random() < 0.35 else []


def _directive(rng: Rng, odds: float) -> list[str]:
    verb = rng.choice(["require", "retract", *VERBS])
    lines = _comment_lines(rng, "")
    if rng.random() < 0.5:
        return [*lines, f"{verb} {VERBS[verb](rng, odds)}{_comment(rng, 0.4)}"]
    lines.append(f"{verb} ({_comment(rng, 0.2)}")
    for _ in range(rng.randint(0, 3)):
        lines += [*_comment_lines(rng, "\t"), f"\t{VERBS[verb](rng, odds)}{_comment(rng, 0.4)}"]
    return [*lines, *_comment_lines(rng, "\t"), f"){_comment(rng, 0.2)}"]


def go_mod(rng: Rng, odds: float = 0.06) -> str:
    """Give a go.mod; `odds` is how likely a word in it is odd."""
    module = mostly(rng, PATHS, ODD_PATHS, odds / 2)
    parts = [
        [
            *_comment_lines(rng, ""),
            rng.choice(
                [f"module {module}", f"module (\n\t{module}\n)", f"module (\n\t// Deprecated: x\n\n\t{module}\n)"]
            )
            + _comment(rng, 0.3),
        ]
    ]
    if rng.random() < 0.6:
        parts.append([f"go {mostly(rng, GO, ODD_GO, odds)}"])
    if rng.random() < 0.2:
        parts.append([f"toolchain {mostly(rng, TOOLCHAINS, ODD_TOOLCHAINS, odds)}"])
    parts += [_directive(rng, odds) for _ in range(rng.randint(0, 4))]
    if rng.random() < odds * 2:
        parts.append([rng.choice(JUNK)])
    if rng.random() < odds:
        parts.append(rng.choice(parts))
    if rng.random() < 0.1:  # a word over two lines takes no comment: what stands before it gets that
        parts.append([f'{rng.choice(["foo", "tool", "require a.b/c"])} "x\\', f'y" //{rng.choice(COMMENTS)}'])
    if rng.random() < 0.2:
        rng.shuffle(parts)
    text = rng.choice(["\n", "\n\n"]).join("\n".join(part) for part in parts) + rng.choice(["\n", "\n", ""])
    if rng.random() < 0.15:
        text = text.replace("\n", "\r\n")
    return mutated(rng, text, 3) if rng.random() < odds * 2 else text


def lax_go_mod(rng: Rng) -> str:
    """Give a go.mod with more that is odd: lax reading forgives much of it."""
    return go_mod(rng, 0.12)


def module_lines(rng: Rng) -> str:
    """Give lines that may name the module."""
    name = rng.choice(
        [
            *PATHS,
            *ODD_PATHS,
            "a b",
            '"a" b',
            '"a\\',
            "`a`",
            "`a\\`",
            "`a`b`",
            "``",
            "`a\r`",
            rng.choice(KNOWN),
            oddity(rng),
        ]
    )
    line = (
        rng.choice(
            [
                "module ",
                "module\t",
                "\u00a0module\u3000",
                "module",
                "modules ",
                "Module ",
                "// module ",
                "module // ",
                "  module  ",
            ]
        )
        + name
    )
    before = ["", "// c", "module", "modulex y", "go 1.21", "x module y", "module\x1c"]
    lines = [
        *rng.sample(before, rng.randint(0, 2)),
        line + rng.choice(["", " // c", "//c", " ", "\r"]),
        rng.choice(["", "module second"]),
    ]
    return rng.choice(["\n", "\n", "\r\n"]).join(lines if rng.random() < 0.75 else lines[:-2])


# fmt: off
TIMES = [
    "2020-01-02T03:04:05Z", "2020-02-29T23:59:59.123456789Z", "2020-01-02T03:04:05.1+01:00",
    "0001-01-01T00:00:00Z", "2020-01-02T03:04:05,5Z",
    "2020-01-02T3:04:05Z", "2020-01-02T03:04:05+24:60", "9999-12-31T23:59:59.9999999999999Z",
    "2020-01-02T03:04:05.000000000000000000001-23:59",
    "0000-02-29T00:00:00Z", "9999-12-31T23:59:59-24:00", "0001-01-01T00:00:00+01:00",
    "1969-12-31T23:59:59.0000009Z", "2000-02-29T00:00:00-00:00",
]
ODD_TIMES = [
    "", "2020-01-02", "2020-01-02t03:04:05Z", "2020-01-02T03:04:05z", "2020-01-02 03:04:05Z",
    "2019-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2020-13-01T00:00:00Z", "2020-00-01T00:00:00Z", "2020-01-00T00:00:00Z",
    "2020-01-02T24:00:00Z", "2020-01-02T23:60:00Z", "2020-01-02T23:59:60Z",
    "2020-01-02T03:04:05", "2020-01-02T03:04:05.Z", "2020-01-02T03:04:05+25:00",
    "2020-01-02T03:04:05+00:61", "2020-01-02T03:04:05+0100",
    "20200-01-02T03:04:05Z", "2020-1-2T03:04:05Z", "2020-01-02T03:04:05Zx",
    "٢٠٢٠-01-02T03:04:05Z", "2020-01-02T03:04Z", "-001-01-02T03:04:05Z",
    "2020-01-02T03:4:05Z", "2020-01-02T003:04:05Z", "2020-01-02T03:04:05.+01:00", "null",
    " 2020-01-02T03:04:05Z", "2020-01-02T03:04:05 Z",
]
CANONICAL = ["v1.0.0", "v0.0.0-20191109021931-daa7c04131f5", "v2.0.0+incompatible", "v1.2.3-RC1", "v1.2.3-pre.1"]
NOT_CANONICAL = ["", "v1", "v1.0", "1.0.0", "v1.0.0+meta", "main", "v01.0.0", "v1.0.0 ", "V1.0.0"]
VALUES = [
    "1", "-0.5e10", "true", "null", "[]", "{}", '""', '"x"', "9" * 5000, '[{"Version":"v9.9.9"}]', '{"a":[1,2,{"b":null}]}',
    '"\\ud83d\\ude00"', "1E+2", '"\\u00e9\\/"',
]
ODD_VALUES = [
    "NaN", "Infinity", "-Infinity", "01", "1.", ".5", "'x'", "nul", "[1,]", "{,}", '"\\x41"', '"\n"', '"\\u12"', "+1", "0x1",
    '"a', "\ufeff1", "{1:2}", "-",
]
TEXTS = [
    "git", "https://example.com/r", "refs/tags/v1.0.0", "t1:abc", "é", "\\ud800", "\\ud83d\\ude00", "a\\\\b", "\udcff",
    "\\u0041\\\"", "\ufffd", "\\udc00x", "中\udce4\udcb8",
]
# fmt: on
NAMES = ["VCS", "URL", "Subdir", "Hash", "TagPrefix", "TagSum", "Ref", "RepoSum"]


def _key(rng: Rng, name: str) -> str:
    if rng.random() < 0.75:
        return json.dumps(name)
    return rng.choice(
        [
            json.dumps(name.lower()),
            json.dumps(name.upper()),
            json.dumps(name.replace("s", "ſ"), ensure_ascii=False),
            f'"\\u{ord(name[0]):04x}{name[1:]}"',
            json.dumps(name + "x"),
            json.dumps(name.replace("i", "İ"), ensure_ascii=False),
        ]
    )


def _origin(rng: Rng) -> str:
    members = [f'{_key(rng, rng.choice(NAMES))}:"{rng.choice(TEXTS)}"' for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.06:
        members.append(f"{_key(rng, rng.choice(NAMES))}:{rng.choice(VALUES)}")
    return "{" + ",".join(members) + "}" if rng.random() < 0.94 else rng.choice(VALUES)


def info(rng: Rng) -> str:
    """Give an `.info`."""

    def member() -> str:
        match rng.randrange(5):
            case 0:
                return f'{_key(rng, "Version")}:"{mostly(rng, CANONICAL, NOT_CANONICAL, 0.15)}"'
            case 1:
                time = json.dumps(mostly(rng, TIMES, ODD_TIMES, 0.2), ensure_ascii=False)
                time = time.replace("Z", "\\u005a") if rng.random() < 0.02 else time
                return f"{_key(rng, 'Time')}:{time}"
            case 2:
                return f"{_key(rng, 'Origin')}:{_origin(rng)}"
            case 3:
                return f"{_key(rng, rng.choice(['Name', 'Short', 'x', 'Versions']))}:{mostly(rng, VALUES, ODD_VALUES, 0.06)}"
            case _:
                name = rng.choice(["Version", "Time", "Origin"])
                return f"{_key(rng, name)}:{'null' if rng.random() < 0.8 else rng.choice(VALUES)}"

    members = [member() for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.85:
        members.insert(rng.randint(0, len(members)), f'"Version":"{rng.choice(CANONICAL)}"')
    space = rng.choice(["", "", " ", "\n", "\t\r", "\u00a0" if rng.random() < 0.1 else ""])
    text = space.join(["{", f"{space},".join(members), "}", rng.choice(["", "\n"])])
    if rng.random() < 0.03:
        text = rng.choice(["null", "[]", f"[{text}]", text + text, '"x"', "", "\ufeff" + text])
    return mutated(rng, text) if rng.random() < 0.1 else text
