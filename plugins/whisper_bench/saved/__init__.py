"""The files that pytest-benchmark saves: found by name, number, pattern or path, and parsed."""
