"""The checksum database: how it is named, and what may be asked of it. Pure."""
