"""pytest's and pytest-benchmark's configuration for this repository."""

pytest_plugins = ["pytester"]
