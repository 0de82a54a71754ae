"""What stops a store from being opened, and how a file system's refusals are told to callers."""

import errno

from phaleron.errors import Busy, PhaleronError


class StoreError(Exception):
    """The store cannot be used. `str(error)` is one line that says what is wrong, where, and what to do."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})


def no_room(error: OSError) -> PhaleronError | None:
    """Give Busy for an error that says there is no room (or no descriptor) for more; None for any other."""
    if error.errno in _NO_ROOM:
        return Busy(f"the store cannot take more now: {error.strerror}", retry_after_s=30)
    return None
