"""Benchmarks of Go module proxies: any base URLs, side by side, as ratios within one run."""
