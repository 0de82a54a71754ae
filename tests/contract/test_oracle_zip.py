"""Module zips against golang.org/x/mod: a thousand generated cases a rule, and every disagreement is a failure.

What we refuse and x/mod does not (duplicate members, gaps, lying headers) is in tests/unit/gomod.
"""

import io
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from phaleron.gomod.errors import RuleError
from phaleron.gomod.modzip import check_zip, verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.gomod.zipdir import check_dir, create_zip_from_dir
from phaleron.gomod.zipmake import CheckedFiles, FileType, SourceFile, check_files, create_zip
from tests.oracle.agreement import CASES, SEED, agree, given, rng_for
from tests.oracle.oracle import Oracle, build_oracle
from tests.oracle.zipcases import (
    FILE_RULES,
    GO_LINES,
    MIB,
    MODULE,
    PATHS,
    PREFIX,
    SPOILING,
    TREE,
    VERSION,
    VERSIONS,
    ZIP_RULES,
    Question,
    Rng,
    distinct,
    unb64,
)
from tests.zipbytes import Entry, write_zip


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    print(f"PHALERON_SEED={SEED}")
    return build_oracle(tmp_path_factory.mktemp("oracle"))


KINDS = [
    (kind, re.compile(pattern))
    for kind, pattern in {
        "not clean": r"file path is not clean",
        "not relative": r"file path is not relative",
        "case of go.mod": r"go\.mod files must have lowercase names|go\.mod file not in lower case",
        "vendored": r"file is in vendor directory",
        "nested": r"(file|directory) is in another module",
        "hg": r"file is inserted by",
        "vcs": r"directory is a version control repository",
        "symlink": r"file is a symbolic link",
        "irregular": r"not a regular file",
        "size": r"(go\.mod|LICENSE) file too large",
        "fold": r"case-insensitive file name collision",
        "both": r"entry .* is both a file and a directory",
        "twice": r"multiple entries for file",
    }.items()
]


def kind(reason: str) -> str:
    return next((kind for kind, pattern in KINDS if pattern.match(reason)), "malformed")


def theirs(answer: Question) -> Question:
    value = answer["value"]
    return {
        "valid": [unb64(name) for name in value["valid"]],
        "omitted": [(unb64(f["name"]), kind(f["reason"])) for f in value["omitted"]],
        "invalid": [(unb64(f["name"]), kind(f["reason"])) for f in value["invalid"]],
        "size": value["size_error"],
    }


def ours(checked: CheckedFiles) -> Question:
    return {
        "valid": [f.name for f in checked.valid],
        "omitted": [(f.name, kind(f.reason)) for f in checked.omitted],
        "invalid": [(f.name, kind(f.reason)) for f in checked.invalid],
        "size": checked.size_error is not None,
    }


def our_check(question: Question) -> str:
    """Give the rule that a zip breaks, or nothing."""
    try:
        path, version = ModulePath(question["path"]), Version(question["version"])
        with open(question["file"], "rb") as file:
            check_zip(file.fileno(), path, version, unassigned_ok=False)
    except RuleError as e:
        return str(e)
    return ""


@pytest.mark.parametrize("rule", ZIP_RULES)
def test_check_zip(rule: str, oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for(f"{rule}")
    questions, lists = [], []
    for n in range(CASES):
        entries = ZIP_RULES[rule](rng)
        file = tmp_path / f"{n}.zip"
        with file.open("wb") as out:
            write_zip(out, [Entry(name.encode("utf-8", "surrogateescape"), unpacked=size) for name, size in entries])
        questions.append({"op": "check_zip", "path": MODULE, "version": VERSION, "file": str(file)})
        lists.append(entries)
    answers = oracle.ask(questions)
    ours_all = [our_check(q) for q in questions]
    verdicts = [
        ((entries, a["error"], our), a["ok"], not our) for entries, a, our in zip(lists, answers, ours_all, strict=True)
    ]
    agree(rule, [a["ok"] for a in answers], verdicts)


def test_check_zip_holds_the_version_against_the_path(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("versions")
    questions = []
    for n in range(CASES):
        path = rng.choice(PATHS[:5] if rng.random() < 0.9 else PATHS)
        majors = [v for v in VERSIONS[:7] if v.partition(".")[0] in re.split(r"[/.-]", path)]
        version = rng.choice(
            (majors if rng.random() < 0.4 else VERSIONS[:7]) or VERSIONS[:3] if rng.random() < 0.85 else VERSIONS
        )
        file = tmp_path / f"{n}.zip"
        with file.open("wb") as out:
            write_zip(out, [Entry(f"{path}@{version}/a".encode())])
        questions.append({"op": "check_zip", "path": path, "version": version, "file": str(file)})
    answers = oracle.ask(questions)
    agree(
        "versions",
        [a["ok"] for a in answers],
        [((q, a["error"]), a["ok"], not our_check(q)) for q, a in zip(questions, answers, strict=True)],
    )


def test_check_zip_limits_the_file(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("file size")
    questions = []
    for n in range(CASES):
        file = tmp_path / f"{n}.zip"
        bare = io.BytesIO()
        write_zip(bare, [Entry(f"{PREFIX}a".encode())])
        size = 500 * MIB + rng.choice([-1, 0, 0, 1, 2, rng.randint(-MIB, MIB)])
        with file.open("wb") as out:
            write_zip(out, [Entry(f"{PREFIX}a".encode(), hole=size - len(bare.getvalue()))])
        questions.append({"op": "check_zip", "path": MODULE, "version": VERSION, "file": str(file)})
    answers = oracle.ask(questions)
    agree(
        "file size",
        [a["ok"] for a in answers],
        [((q, a["error"]), a["ok"], not our_check(q)) for q, a in zip(questions, answers, strict=True)],
    )


def opener(data: bytes) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO(data)


def sources(files: list[Question]) -> list[SourceFile]:
    return [
        SourceFile(unb64(f["name"]), f["size"], opener(b64decode(f["content"])), FileType(f["type"])) for f in files
    ]


def spotless(answer: Question) -> bool:
    return bool(answer["ok"]) and not answer["value"]["omitted"]


@pytest.mark.parametrize("rule", FILE_RULES)
def test_check_files(rule: str, oracle: Oracle) -> None:
    rng = rng_for(f"files:{rule}")
    questions = [{"op": "check_files", "files": FILE_RULES[rule](rng)} for _ in range(CASES)]
    answers = oracle.ask(questions)
    verdicts = [
        (
            [(unb64(f["name"]), f["type"], f["size"], b64decode(f["content"])) for f in q["files"]],
            theirs(a),
            ours(check_files(sources(q["files"]))),
        )
        for q, a in zip(questions, answers, strict=True)
    ]
    agree(rule, [spotless(a) for a in answers], verdicts)


def our_zip(make: Callable[[io.BytesIO], None], file: Path) -> str | None:
    """Make a zip, verify it and give its h1; None where it is refused."""
    out = io.BytesIO()
    try:
        make(out)
    except RuleError:
        return None
    file.write_bytes(out.getvalue())
    with file.open("rb") as zipped:
        return verify_zip(zipped.fileno(), ModulePath(MODULE), Version(VERSION), unassigned_ok=False).h1


def test_create_zip(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("create")
    rules = [rule for name, rule in FILE_RULES.items() if "size" not in name]
    rules += 12 * [rule for name, rule in FILE_RULES.items() if name.startswith("names")]
    questions = []
    for _ in range(2 * CASES):
        files = rng.choice(rules)(rng)
        for f in files:
            content = b64decode(f["content"]) or rng.randbytes(rng.randint(0, 99))
            f.update(content=b64encode(content).decode(), size=len(content) - (rng.random() < 0.02))
        questions.append({"op": "create_zip", "path": MODULE, "version": VERSION, "files": files})
    answers = oracle.ask(questions)
    verdicts = []
    for q, a in zip(questions, answers, strict=True):
        files = sources(q["files"])
        h1 = our_zip(
            lambda out, files=files: create_zip(out, ModulePath(MODULE), Version(VERSION), files), tmp_path / "zip"
        )
        verdicts.append(((files, a["error"]), given(a), h1))
    agree("create_zip", [a["ok"] for a in answers], verdicts)


def plant(directory: Path, rng: Rng) -> None:
    names = rng.sample(TREE, rng.randint(1, 6)) + (
        rng.sample(SPOILING, rng.randint(1, 2)) if rng.random() < 0.5 else []
    )
    for name in names:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if rng.random() < 0.03:
            file.symlink_to(rng.choice([directory / "main.go", directory]))
        elif name == "go.mod":
            file.write_text(f"module {MODULE}\n\n{rng.choice(GO_LINES)}\n")
        else:
            file.write_bytes(rng.randbytes(9))


def test_directories(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("directories")
    directories = [tmp_path / str(n) for n in range(CASES)]
    for directory in directories:
        directory.mkdir()
        plant(directory, rng)
    checked = oracle.ask({"op": "check_dir", "dir": str(d)} for d in directories)
    verdicts = []
    for directory, a in zip(directories, checked, strict=True):
        want, got = theirs(a), ours(check_dir(directory))
        verdicts.append((directory, want, got))
    agree("check_dir", [spotless(a) for a in checked], verdicts)
    made = oracle.ask(
        {"op": "create_zip_from_dir", "path": MODULE, "version": VERSION, "dir": str(d)} for d in directories
    )
    for directory, a in zip(directories, made, strict=True):
        h1 = our_zip(
            lambda out, d=directory: create_zip_from_dir(out, ModulePath(MODULE), Version(VERSION), d),
            tmp_path / "zip",
        )
        assert given(a) == h1, (directory, a["error"])


def damaged(rng: Rng, data: bytes) -> bytes:
    """Change a few bytes of an archive, mostly where its headers are."""
    out = bytearray(data)
    marks = [m.start() for m in re.finditer(rb"PK[\1\3\5\7]", data)]
    for _ in range(rng.randint(1, 2)):
        at = min(rng.choice(marks) + rng.randrange(46), len(out) - 1)
        out[at] = rng.choice([0, 1, 8, 255, out[at] ^ 1, rng.randrange(256)])
    return bytes(out[: rng.randrange(len(out))] if rng.random() < 0.05 else out)


def test_what_is_taken_of_damaged_zips_is_what_others_read(oracle: Oracle, tmp_path: Path) -> None:
    """Two readers of one archive must not see two contents: what passes here passes there, with the same hash."""
    rng = rng_for("damaged")
    taken = []
    for n in range(CASES):
        files = [(name, rng.randbytes(rng.randint(0, 40)) * 3) for name in distinct(rng)]
        sound = io.BytesIO()
        write_zip(sound, [Entry((PREFIX + f).encode(), c, rng.choice([0, 8]), rng.choice([0, 8])) for f, c in files])
        file = tmp_path / f"{n}.zip"
        file.write_bytes(damaged(rng, sound.getvalue()))
        with file.open("rb") as zipped:
            try:
                facts = verify_zip(zipped.fileno(), ModulePath(MODULE), Version(VERSION), unassigned_ok=False)
            except RuleError:
                continue
        taken.append((file, facts.h1))
    assert 0.1 * CASES < len(taken) < 0.9 * CASES
    checks = oracle.ask({"op": "check_zip", "path": MODULE, "version": VERSION, "file": str(file)} for file, _ in taken)
    hashes = oracle.ask({"op": "hash_zip", "file": str(file)} for file, _ in taken)
    for (file, h1), check, hashed in zip(taken, checks, hashes, strict=True):
        assert check["ok"], (file, check["error"], SEED)
        assert given(hashed) == h1, (file, hashed["error"], SEED)
