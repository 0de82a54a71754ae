"""Credentials in text for people."""

import pytest

from phaleron.telemetry.secrets import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host.example/x", "https://***@host.example/x"),
        ("https://secret@host.example", "https://***@host.example"),
        ("get 'http://u:se@cret@host.example:80/x' failed", "get 'http://***@host.example:80/x' failed"),
        ("https://u:secret@a.example,direct", "https://***@a.example,direct"),
        ("https://a.example|https://u:secret@[::1]:3000/", "https://a.example|https://***@[::1]:3000/"),
        ("u:secret@a.example,https://b.example", "***@a.example,https://b.example"),
        ('{"url": "https://u:secret@a.example/?q=1@2"}', '{"url": "https://***@a.example/?q=1@2"}'),
        ("proxy=u:secret@a.example", "proxy=***@a.example"),
        # Not credentials: module queries, mail addresses, paths.
        ("example.com/m@v1.2.3", "example.com/m@v1.2.3"),
        ("https://proxy.example/example.com/m/@v/v1.0.0.zip", "https://proxy.example/example.com/m/@v/v1.0.0.zip"),
        ("https://proxy.example/m/@latest", "https://proxy.example/m/@latest"),
        ("file:///srv/cache/download", "file:///srv/cache/download"),
        ("ask somebody@example.com", "ask somebody@example.com"),
        ("example.com/m@v1.2.3: not found: example.com/n@v1", "example.com/m@v1.2.3: not found: example.com/n@v1"),
        ("go.sum:3: example.com/m@v1.0.0", "go.sum:3: example.com/m@v1.0.0"),
        ("", ""),
    ],
)
def test_userinfo_is_masked_and_nothing_else(text: str, shown: str) -> None:
    assert mask(text) == shown
