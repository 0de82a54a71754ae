"""Outbound HTTP for everybody: limits, redirects, proxies, certificates, credentials."""
