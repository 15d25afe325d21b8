"""What the plugin adds to `pytest --collect-only` of a project that has nothing to do with it.

    python benchmarks/collect_cost.py [RUNS]

Collects one unrelated test with and without the plugin in turn, in fresh processes, and prints the
medians. Exits 1 if the plugin adds 30 ms or more.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_S = 0.030
WITHOUT = ["-p", "no:whisper_bench"]


def _collect_s(folder: str, arguments: list[str]) -> float:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments]
    start_s = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


def main() -> int:
    """Measure in turn, print, and say whether the plugin is cheap."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_unrelated.py").write_text("def test_it(): pass\n")
        _collect_s(folder, [])
        pairs = [(_collect_s(folder, []), _collect_s(folder, WITHOUT)) for _ in range(runs)]
    added_s = statistics.median(with_s - without_s for with_s, without_s in pairs)
    print(f"with    {statistics.median(with_s for with_s, _ in pairs) * 1000:.1f} ms")
    print(f"without {statistics.median(without_s for _, without_s in pairs) * 1000:.1f} ms")
    print(
        f"added   {added_s * 1000:.1f} ms (median of {runs} pairs), limit {LIMIT_S * 1000:.0f} ms"
    )
    return 0 if added_s < LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
