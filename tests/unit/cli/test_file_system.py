"""On which kind of file system a directory is, by Linux's list of mounts."""

from pathlib import Path

import pytest

from phaleron.cli.checks import file_system

MOUNTS = r"""22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a
23 22 0:21 / /proc rw - proc proc rw
30 22 8:1 /srv /srv rw,noatime master:1 shared:2 - ext4 /dev/sda1 rw
31 30 0:40 / /srv/mod\040ules rw - nfs4 server:/export rw
32 22 0:41 / /srvx rw - cifs //server/share rw
33 30 0:42 / /srv/twice rw - tmpfs tmpfs rw
34 33 0:43 / /srv/twice rw - fuse.sshfs host: rw
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/", "overlay"),
        ("/etc/x", "overlay"),
        ("/srv", "ext4"),
        ("/srv/data", "ext4"),
        ("/srv/mod ules/data", "nfs4"),
        ("/srvx/data", "cifs"),
        ("/srv/twice/data", "fuse.sshfs"),
    ],
)
def test_the_deepest_and_last_mount_tells(place: str, kind: str) -> None:
    assert file_system(Path(place), MOUNTS) == kind


def test_without_a_list_of_mounts_nothing_is_told() -> None:
    assert file_system(Path("/"), "") == ""
