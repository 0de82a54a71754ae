"""The rules of Go modules: paths, versions, pseudo-versions, go.mod, module zips, h1 hashes.

Pure: no network, no clock, no configuration; nothing here imports the rest of the program or anything outside the
standard library. What golang.org/x/mod is to Go. Strings from outside become the types of `path` and `version` once, at
the door; a value of such a type is valid by construction and is never checked again.
"""
