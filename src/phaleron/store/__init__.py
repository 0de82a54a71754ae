"""Where modules are kept: blobs, the catalog of what they are, and the locks that make fetches single across processes."""
