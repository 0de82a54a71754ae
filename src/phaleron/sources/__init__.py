"""Where modules come from: an upstream proxy, a tree of files, and the routing between them."""
