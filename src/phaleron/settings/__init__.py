"""What can be configured, and where each value comes from.

`model` says which settings there are; `layers` reads the places that they come from; `load` puts them together and checks
them; `describe` shows them. Everything that is wrong with settings is told at once, each fault with its file and line.
"""

from phaleron.settings.faults import SettingsError
from phaleron.settings.load import Loaded, load
from phaleron.settings.model import Settings

__all__ = ["Loaded", "Settings", "SettingsError", "load"]
