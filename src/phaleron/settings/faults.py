"""What is wrong with settings: one line for each fault, that names the place and the setting."""

from collections.abc import Sequence

from phaleron.telemetry.secrets import mask


class SettingsError(Exception):
    """Settings that cannot be used. `faults` are lines for the user, without secrets, all that were found."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(mask(fault) for fault in faults)
        super().__init__("; ".join(self.faults))
