"""What stops a store from being opened, and how a file system's refusals are told to callers."""

import errno

from phaleron.errors import Busy, PhaleronError


class StoreError(Exception):
    """The store cannot be used. `str(error)` is one line that says what is wrong, where, and what to do."""


_REFUSALS = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMLINK),  # no room
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOLCK),  # no descriptors, no memory
        *(errno.EROFS, errno.EACCES, errno.EPERM),  # made unwritable while it was open
        *(errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO),  # the disk, or the machine that has it
        *(errno.ENOENT, errno.ENOTDIR),  # a folder of ours was taken away
    }
)
"""What may pass, or an operator can mend, while hits go on. All others are faults of ours and are raised as they are."""


def no_room(error: OSError) -> PhaleronError | None:
    """Give Busy for an error that says the store can take no more now; None for any other."""
    if error.errno in _REFUSALS:
        return Busy(f"the store cannot take more now: {error.strerror}", retry_after_s=30)
    return None
