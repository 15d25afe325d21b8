"""Measure whether we compare thousands of runs as fast as pytest-benchmark does.

    python benchmarks/compare_scale.py [RUNS] [REPEATS]

Makes saved runs of 9 cases with 50 samples each from the sample in docs/sample (with random
latencies: nothing here is a measurement of a machine), and compares them by `whisper-bench ratio`
and by `pytest-benchmark compare`, in turn, on the same files: at a quarter, a half and all of
them. Prints seconds and peak memory; exits 1 if ours is slower on all of them, or if four
times the runs take more than five times the time or memory.
"""

import copy
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FOLDER = "Linux-CPython-3.11-64bit"
SAMPLE = Path(__file__).parent.parent / "docs" / "sample" / FOLDER / "0001_avx2.json"
MODELS, THREADS, PROCESSES, EACH = ("base", "small", "medium"), (1, 2, 4), 5, 10
GROWTH = 5.0
_MIB = 2**20


def saved_run(sample: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """Return a saved run of 9 cases in the form of pytest-benchmark's."""
    document = {**sample, "benchmarks": []}
    for model in MODELS:
        for threads in THREADS:
            document["benchmarks"].append(_case(sample["benchmarks"][0], model, threads, source))
    return document


def _case(template: dict[str, Any], model: str, threads: int, source: random.Random) -> Any:
    case = copy.deepcopy(template)
    record = case["extra_info"]["whisper_bench"]
    record |= {"model": model, "threads": threads, "planned_rounds": PROCESSES * EACH}
    rounds, one_round = [], record["rounds"][0]
    processes, one_process = [], record["processes"][0]
    for number in range(1, PROCESSES + 1):
        level = 5 * source.lognormvariate(0, 0.04)
        times = [level * source.lognormvariate(0, 0.02) for _ in range(EACH)]
        rounds += [
            {**one_round, "process": number, "latency_s": time_s, "wall_s": time_s, "cpu_s": time_s}
            for time_s in times
        ]
        mean = statistics.fmean(times)
        facts = {"process": number, "rounds": EACH, "mean_latency_s": mean, "mean_cpu_s": mean}
        processes.append({**one_process, **facts})
    record |= {"rounds": rounds, "processes": processes}
    name = f"test_transcribe[{model}-t{threads}-vi_30s]"
    data = [round_["latency_s"] for round_ in rounds]
    return {
        **case,
        "group": model,
        "name": name,
        "fullname": f"benchmarks/test_transcribe.py::{name}",
        "params": {"model": model, "threads": threads, "clip": "vi_30s"},
        "param": f"{model}-t{threads}-vi_30s",
        "stats": {**case["stats"], "data": data, "min": min(data), "mean": statistics.fmean(data)},
    }


def cost(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command and return its seconds and its peak resident memory in MiB."""
    start_s = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - start_s, usage.ru_maxrss * unit / _MIB


def measure(folder: Path, repeats: int) -> dict[str, tuple[float, float]]:
    """Return the median seconds and memory of both, taken in turn."""
    scripts = Path(sys.executable).parent
    commands = {
        "whisper-bench ratio": [str(scripts / "whisper-bench"), "ratio", "*"],
        "pytest-benchmark compare": [str(scripts / "pytest-benchmark"), "compare", "*"],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            taken[name].append(cost(command, folder))
    return {
        name: (statistics.median(s for s, _ in costs), statistics.median(mib for _, mib in costs))
        for name, costs in taken.items()
    }


def main() -> int:
    """Make the files, measure, print, and say whether ours is fast enough."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3  # noqa: PLR2004
    sample, source = json.loads(SAMPLE.read_bytes()), random.Random(4)
    results: dict[int, dict[str, tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / ".benchmarks" / FOLDER
        folder.mkdir(parents=True)
        made = 0
        for count in (runs // 4, runs // 2, runs):
            for number in range(made, count):
                content = json.dumps(saved_run(sample, source))
                (folder / f"{number + 1:04}_run{number + 1}.json").write_text(content)
            made = count
            size = sum(path.stat().st_size for path in folder.iterdir()) / _MIB
            results[count] = measure(Path(scratch), repeats)
            for name, (seconds, mib) in results[count].items():
                cells = f"{name:<24}  {seconds:6.2f} s  {mib:5.0f} MiB"
                print(f"{count:>5} runs, {size:>4.0f} MiB  {cells}", flush=True)
    ours, theirs = (results[runs][name] for name in results[runs])
    least = results[runs // 4]["whisper-bench ratio"]
    growth = [whole / quarter for whole, quarter in zip(ours, least, strict=True)]
    print(f"four times the runs: {growth[0]:.1f} times the time, {growth[1]:.1f} the memory")
    return 0 if ours[0] <= theirs[0] and max(growth) <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
