"""The rules of module paths, versions, patterns, go.mod and `.info` against golang.org/x/mod: a thousand cases a rule and more.

Each rule gives a verdict, and a value beside it; both must be x/mod's. PHALERON_SEED repeats a run.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

from phaleron.gomod import semver
from phaleron.gomod.errors import RuleError
from phaleron.gomod.gotext import decode
from phaleron.gomod.gotime import EARLIEST, LATEST
from phaleron.gomod.info import parse_info
from phaleron.gomod.modfile import parse
from phaleron.gomod.modscan import module_path as scan_module_path
from phaleron.gomod.modsyntax import ModSyntaxError
from phaleron.gomod.path import (
    ModulePath,
    check_file_path,
    check_import_path,
    check_path_major,
    path_major_prefix,
    split_path_version,
)
from phaleron.gomod.pattern import PatternList
from phaleron.gomod.pseudo import is_pseudo, pseudo_base, pseudo_revision, pseudo_time, pseudo_version
from phaleron.gomod.version import Query, Version, canonical_version, check, unescape_path, unescape_version
from tests.oracle import modcases, rulecases
from tests.oracle.agreement import SEED, agree, rng_for
from tests.oracle.oracle import Oracle, build_oracle
from tests.oracle.rulecases import Rng, escaped, module_path, pseudo, query, spoilt, version

CASES = 1200


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    print(f"PHALERON_SEED={SEED}")
    return build_oracle(tmp_path_factory.mktemp("oracle"))


class No(Exception):  # noqa: N818 - an answer, not an error
    """A plain no, beside which there may be a value."""

    def __init__(self, value: object = None) -> None:
        self.value = value


class Rule(NamedTuple):
    make: Callable[[Rng], Any]
    """Gives a text, or what else the rule takes."""
    ours: Callable[..., object]
    """Takes what `make` gives; raises RuleError or No where the rule says no."""


def said(value: object, yes: bool) -> object:
    """Give a value, or raise it where the rule says no."""
    if not yes:
        raise No(value)
    return value


def named(text: str) -> object:
    """Give a text, of which an empty one says no."""
    return said(text, text != "")


def compare(a: str, b: str) -> object:
    return said(semver.compare(a, b), semver.is_valid(a) and semver.is_valid(b))


def split(path: str) -> tuple[str, str]:
    found = split_path_version(path)
    if found is None:
        raise No(["", ""])
    return found


def major_prefix(path: str) -> str:
    found = split_path_version(path)
    if found is None or found[1].endswith("v-unstable"):
        raise No
    return path_major_prefix(found[1])


def path_major(path: str, text: str) -> None:
    found = split_path_version(path)
    if found is None:
        raise No
    check_path_major(text, found[1])


def checked(path: str, text: str) -> None:
    module = ModulePath(path)
    if not semver.is_valid(text):
        raise No
    check_path_major(text, module.major)


def escape_version(text: str) -> str:
    return Version(text).escaped if canonical_version(text) == text and text else Query(text).escaped


def parts(text: str) -> object:
    ours = [f(text) for f in (semver.canonical, semver.major, semver.major_minor, semver.prerelease, semver.build)]
    return said(ours, semver.is_valid(text))


def sort(listed: list[str]) -> object:
    return said(sorted(listed, key=semver.sort_key), all(map(semver.is_valid, listed)))


def make_pseudo(older: str, revision: str, seconds: int) -> object:
    at = (EPOCH + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=-5)))
    return said(pseudo_version(semver.major(older), older, at, revision), semver.is_valid(older))


def pseudo_parts(rng: Rng) -> tuple[str, str, int]:
    return spoilt(version, 0.4)(rng), rng.choice(rulecases.REVISIONS), rng.randint(-60_000_000_000, 250_000_000_000)


def read_mod(text: str, *, strict: bool) -> object:
    try:
        mod = parse(encoded(text), strict=strict)
    except ModSyntaxError as e:
        raise No({"line": e.line}) from e
    # x/mod tells a module or go line that says nothing from none; texts that matter are never empty but for a module's.
    found: dict[str, list[list[str]]] = {
        "module": [[mod.module, mod.deprecated]] if mod.module or mod.deprecated else [],
        "go": [[mod.go]] if mod.go else [],
        "toolchain": [[mod.toolchain]] if mod.toolchain else [],
        "require": [[r.path, r.version, str(r.indirect).lower()] for r in mod.require],
        "exclude": [[r.path, r.version] for r in mod.exclude],
        "replace": [[r.old_path, r.old_version, r.new_path, r.new_version] for r in mod.replace],
        "retract": [[r.low, r.high, r.rationale] for r in mod.retract],
        "godebug": [list(pair) for pair in mod.godebug],
        "tool": [[path] for path in mod.tool],
        "ignore": [[path] for path in mod.ignore],
    }
    return {name: rows for name, rows in found.items() if rows}


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_US, LATEST_US = ((at - EPOCH) // timedelta(microseconds=1) for at in (EARLIEST, LATEST))


def read_info(text: str) -> object:
    info = parse_info(encoded(text))
    origin = info.origin
    return {
        "version": str(info.version),
        "time_us": None if info.time is None else (info.time - EPOCH) // timedelta(microseconds=1),
        "origin": origin
        and [
            origin.vcs, origin.url, origin.subdir, origin.hash, origin.tag_prefix, origin.tag_sum, origin.ref, origin.repo_sum
        ],
    }  # fmt: skip


def is_version_of(path: str, text: str) -> None:
    check(ModulePath(path), Version(text))


def versioned_path(rng: Rng) -> str:
    """Give a path that ends in what may be a major version, of either kind."""
    made = module_path(rng, 0.3)
    if rng.random() < 0.4:
        return made
    tails = [*rulecases.MAJORS, *rulecases.ODD_MAJORS, *rulecases.ODD_MAJORS, *rulecases.GOPKG, *rulecases.ODD_GOPKG]
    made = rng.choice(["gopkg.in/a", "gopkg.in/", "a.b", "", "x", made]) + rng.choice(tails)
    return rulecases.mutated(rng, made) if rng.random() < 0.1 else made


# fmt: off
RULES = {
    "check_path": Rule(spoilt(module_path, 0.5), lambda text: ModulePath(text) and None),
    "check_import_path": Rule(spoilt(rulecases.import_path, 0.6), check_import_path),
    "check_file_path": Rule(lambda rng: rulecases.mutated(rng, rulecases.file_path(rng), 3), check_file_path),
    "escape_path": Rule(spoilt(module_path, 0.5), lambda text: ModulePath(text).escaped),
    "unescape_path": Rule(spoilt(escaped(module_path), 0.45), lambda text: str(unescape_path(text))),
    "escape_version": Rule(spoilt(query, 0.75), escape_version),
    "unescape_version": Rule(spoilt(escaped(query), 0.75), lambda text: str(unescape_version(text))),
    "split_path": Rule(versioned_path, lambda text: [decode(encoded(t)) for t in split(text)]),
    "path_major_prefix": Rule(versioned_path, major_prefix),
    "check_path_major": Rule(rulecases.path_and_version, path_major),
    "check": Rule(rulecases.path_and_version, checked),
    "check_kept": Rule(rulecases.path_and_version, is_version_of),
    "semver_parts": Rule(spoilt(version, 0.5), parts),
    "semver_compare": Rule(rulecases.two_versions, compare),
    "semver_sort": Rule(lambda rng: (rulecases.versions(rng),), sort),
    "canonical_version": Rule(spoilt(version, 0.5), lambda text: named(canonical_version(text))),
    "is_pseudo": Rule(spoilt(pseudo, 0.4), lambda text: said(None, is_pseudo(text))),
    "pseudo_version": Rule(pseudo_parts, make_pseudo),
    "pseudo_base": Rule(spoilt(pseudo, 0.3), pseudo_base),
    "pseudo_rev": Rule(spoilt(pseudo, 0.4), pseudo_revision),
    "pseudo_time": Rule(spoilt(pseudo, 0.3), lambda text: (pseudo_time(text) - EPOCH) // timedelta(seconds=1)),
    "patterns": Rule(rulecases.patterns_and_path, lambda globs, path: said(None, PatternList.parse(globs).matches(path))),
    "module_path": Rule(modcases.module_lines, lambda text: named(scan_module_path(encoded(text)))),
    "mod_strict": Rule(modcases.go_mod, lambda text: read_mod(text, strict=True)),
    "mod_lax": Rule(modcases.lax_go_mod, lambda text: read_mod(text, strict=False)),
    "info": Rule(modcases.info, read_info),
}
# fmt: on


def encoded(text: str) -> bytes:
    """Give the bytes of a text; a lone surrogate becomes what is no UTF-8."""
    return b"".join(c.encode(errors="surrogateescape" if "\udc80" <= c <= "\udcff" else "surrogatepass") for c in text)


def question(op: str, case: tuple[Any, ...]) -> dict[str, Any]:
    asked: dict[str, Any] = {"op": op}
    for name, value in zip(("text", "other"), (v for v in case if isinstance(v, str)), strict=False):
        asked[name] = b64encode(encoded(value)).decode()
    for value in case:
        if isinstance(value, list):
            asked["list"] = [b64encode(encoded(v)).decode() for v in value]
        elif isinstance(value, int):
            asked["seconds"] = value
    return asked


def our_answer(rule: Rule, case: tuple[Any, ...]) -> tuple[bool, object]:
    try:
        return True, rule.ours(*case)
    except No as e:
        return False, e.value
    except RuleError:
        return False, None


VALUE_BESIDE_NO = {"semver_parts", "semver_compare", "canonical_version", "pseudo_version", "mod_strict", "mod_lax"}
"""What x/mod gives for what is wrong is a rule, too."""


def their_answer(op: str, answer: dict[str, Any]) -> tuple[bool, object]:
    value = answer["value"]
    if op in ("mod_strict", "mod_lax") and answer["ok"] and value.get("module") == [["", ""]]:
        del value["module"]
    if op == "info" and answer["ok"] and value["time_us"] is not None:
        value["time_us"] = min(max(value["time_us"], EARLIEST_US), LATEST_US)
    if op == "pseudo_time":
        value = max(value, EARLIEST_US // 1_000_000)
    return answer["ok"], value if answer["ok"] or op in VALUE_BESIDE_NO else None


@pytest.mark.parametrize("op", RULES)
def test_rule(op: str, oracle: Oracle) -> None:
    rule, rng = RULES[op], rng_for(op)
    cases = []
    for _ in range(CASES):
        made = rule.make(rng)
        cases.append((made,) if isinstance(made, str) else tuple(made))
    answers = oracle.ask(question(op, case) for case in cases)
    verdicts = []
    for case, answer in zip(cases, answers, strict=True):
        ours = our_answer(rule, case)
        verdicts.append(
            (
                (case, answer["error"]),
                their_answer(op, answer),
                (ours[0], ours[1] if ours[0] or op in VALUE_BESIDE_NO else None),
            )
        )
    agree(op, [answer["ok"] for answer in answers], verdicts)
