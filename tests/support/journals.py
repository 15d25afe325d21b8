"""The journal that the tests of journals begin with."""

from whisper_bench.measure.journal import RunLine

IDENTITY = RunLine("m4", {"compute_type": "int8", "cpu_limit": "1.0"})
