"""The bounds of what a sizing can be asked, for the command line and for Python alike.

Larger values are typing errors, or take hours to simulate (480 windows are 4 hours).
"""

POISSON = 1.0
MOST_RPS, MOST_BURSTINESS, MOST_WINDOWS = 1e5, 100.0, 480
MOST_WORKERS, MOST_SPARE, LEAST_UTILISATION = 64, 1000, 0.01
MOST_SEED, MOST_PRICE, MOST_NODE_CPUS = 10**9 - 1, 1e9, 1e4
MOST_PODS_A_NODE, MOST_SPARE_NODES = 1000, 100
MOST_RTF, MOST_SLOWDOWN = 1e4, 100.0
MOST_TOKENS_A_SECOND = 100.0
"""Whisper gives no more than 448 tokens of a window of 30 s."""

HARD_FACTOR = 8.0
"""How many times as long a clip takes if its decoding falls back to higher temperatures, in the
worst case seen (3 to 8 times; docs/sizing.md)."""
MOST_HARD_FACTOR = 1000.0
