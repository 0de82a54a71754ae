"""Where what takes long to make is kept between runs: outside the repository, by name and stamp."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """The folder: PHALERON_TEST_CACHE, else one in the user's cache directory."""
    given = os.environ.get("PHALERON_TEST_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("phaleron-tests", appauthor=False))


def cached(name: str, stamp: str, make: Callable[[Path], None]) -> Path:
    """Give the folder `name`, made by `make` unless one with the same stamp is there."""
    folder = cache_root() / name
    mark = folder / ".stamp"
    if mark.exists() and mark.read_text() == stamp:
        return folder
    if folder.exists():
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    make(folder)
    mark.write_text(stamp)
    return folder
