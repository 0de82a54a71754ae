"""A tree of files in which things are not what they should be."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phaleron.errors import Busy, NotFound, OriginFailed
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.sources.tree import Tree
from tests.support.modules import zip_of

M, V = ModulePath("example.com/m"), Version("v1.0.0")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "example.com" / "m" / "@v"
    base.mkdir(parents=True)
    return base


async def test_a_directory_or_a_pipe_is_no_file(tmp_path: Path, base: Path) -> None:
    (base / "v1.0.0.mod").mkdir()
    os.mkfifo(base / "v1.0.0.info")
    os.mkfifo(base / "v1.0.0.zip")
    tree = Tree(tmp_path.as_uri())
    with pytest.raises(NotFound, match="no file"):
        await tree.mod(M, V)
    with pytest.raises(NotFound, match="no file"):
        await tree.info(M, V)
    with pytest.raises(NotFound, match="no file"):
        await tree.zip(M, V).__aenter__()


async def test_a_module_below_a_file_is_not_there(tmp_path: Path, base: Path) -> None:
    (tmp_path / "example.com" / "file").write_text("")
    with pytest.raises(NotFound):
        await Tree(tmp_path.as_uri()).versions(ModulePath("example.com/file/below"))


async def test_a_name_that_is_too_long_for_a_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await Tree(tmp_path.as_uri()).versions(ModulePath("example.com/" + "x" * 300))


async def test_what_cannot_be_read_is_a_failure_and_no_absence(tmp_path: Path, base: Path) -> None:
    (base / "list").symlink_to(base / "list")
    with pytest.raises(OriginFailed, match=f"^example.com/m: file://.* cannot be read: {os.strerror(errno.ELOOP)}"):
        await Tree(tmp_path.as_uri()).versions(M)


async def test_a_zip_that_gets_shorter_while_it_is_read(tmp_path: Path, base: Path) -> None:
    (base / "v1.0.0.zip").write_bytes(bytes(600_000))
    async with Tree(tmp_path.as_uri()).zip(M, V) as content:
        pieces = aiter(content)
        assert len(await anext(pieces)) == 256 * 1024
        os.truncate(base / "v1.0.0.zip", 300_000)
        assert len(await anext(pieces)) == 300_000 - 256 * 1024
        with pytest.raises(OriginFailed, match=r"example\.com/m@v1\.0\.0: .* got shorter while it was read"):
            await anext(pieces)


async def test_a_zip_that_is_replaced_while_it_is_read_stays_the_old_one(tmp_path: Path, base: Path) -> None:
    old, new = zip_of(M, V), zip_of(M, V, filling=7)
    (base / "v1.0.0.zip").write_bytes(old)
    async with Tree(tmp_path.as_uri()).zip(M, V) as content:
        (base / "new").write_bytes(new)
        (base / "new").rename(base / "v1.0.0.zip")
        assert b"".join([piece async for piece in content]) == old


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = os.open("/dev/null", os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 1, hard))
    filler = []
    try:
        while True:
            filler.append(os.dup(taken))
    except OSError:
        pass
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in (taken, *filler):
            os.close(fd)


async def test_no_descriptor_left_is_our_own_bound(tmp_path: Path, base: Path) -> None:
    (base / "list").write_text("v1.0.0\n")
    tree = Tree(tmp_path.as_uri())
    await tree.versions(M)  # the thread that reads is there
    with no_descriptors_left(), pytest.raises(Busy, match=r"example\.com/m: file://"):
        await tree.versions(M)
    assert (await tree.versions(M)).value == (V,)
