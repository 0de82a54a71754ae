"""HTTP: GOPROXY and checksum database routes, feed, catalog, health, and the fast lane. Translates; decides nothing."""
