"""The normalization ratio of two runs: latency of the target over that of the reference."""
