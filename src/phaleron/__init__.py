"""Phaleron: a Go module proxy. The rooms and what flows between them: docs/architecture.md."""
