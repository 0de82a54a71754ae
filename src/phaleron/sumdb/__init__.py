"""The checksum database as a proxy hands it on."""
