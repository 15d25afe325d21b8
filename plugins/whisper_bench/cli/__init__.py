"""The command line `whisper-bench`: thin, exits 0 for yes, 1 for a no, 2 for misuse."""

from whisper_bench.cli.main import main

__all__ = ["main"]
