"""Verifying a big zip takes little memory, whatever its members: measured in a process of its own."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.require import require
from tests.zipbytes import Entry, write_zip

MIB = 1 << 20
SCRIPT = """
import re, sys
from pathlib import Path
from isal import isal_zlib
from phaleron.gomod.modzip import verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version

def peak_kib():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

with open(sys.argv[1], "rb") as file:
    before = peak_kib()
    verify_zip(file.fileno(), ModulePath("example.com/m"), Version("v1.0.0"), codec=isal_zlib)
    print(peak_kib() - before)
"""


@pytest.mark.parametrize("level", [None, 0, 9], ids=["stored", "deflated to the same", "deflated to little"])
def test_a_zip_of_150_mib_in_less_than_25(level: int | None, tmp_path: Path) -> None:
    require(Path("/proc/self/status").exists(), "/proc, to measure memory")
    content = bytes(150 * MIB)
    entry = Entry(b"example.com/m@v1.0.0/big", crc=zlib.crc32(content), unpacked=len(content), hole=len(content))
    if level is not None:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        entry = Entry(entry.name, content, 8, data=packer.compress(content) + packer.flush())
    file = tmp_path / "zip"
    with file.open("wb") as out:
        write_zip(out, [entry])
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(file)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 25 * 1024
