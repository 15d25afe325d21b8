"""Judge real gates: how often each answer came, and what pytest-benchmark says of the same samples.

    python benchmarks/gate_trials.py SAMPLES.csv            # print the table
    python benchmarks/gate_trials.py SAMPLES.csv FOLDER...  # collect gates first, a gate.json each

The samples are one line a process; a gate's name begins with what was tried in it (aa-01: a build
against itself). Beside each gate's answer stands `--benchmark-compare-fail=mean:10%`, by
pytest-benchmark's own class, on the wall times of the same rounds: of the first process of either
side, as two runs are compared; of all processes of the gate, in its favour, since those ran in
alternation; and of the candidate against the baseline of the gate before: a run saved earlier.
"""

import csv
import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_benchmark import utils

from whisper_bench.gate.report import Answer, Metric
from whisper_bench.gate.sequential import Call, look_at
from whisper_bench.summary import table_lines

COLUMNS = (
    "gate", "answer", "metric", "elapsed_s", "pair", "side", "contended", "latency_s", "cpu_s"
)  # fmt: skip
LIMIT = 0.10
CALLS = {Call.SLOWER: Answer.FAIL, Call.NOT_SLOWER: Answer.PASS, Call.OPEN: Answer.NO_EVIDENCE}
Gate = list[dict[str, str]]


def collected(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return a row for each process of the gates in some folders, in the order of their names."""
    rows = []
    for folder in folders:
        gate = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
        for turn in gate["turns"]:
            (sample,) = turn["samples"]
            rows.append({
                "gate": folder.name,
                "answer": gate["answer"],
                "metric": gate["cases"][0]["metric"],
                "elapsed_s": f"{gate['elapsed_s']:.1f}",
                "pair": turn["pair"],
                "side": turn["side"],
                "contended": sample["contended_rounds"],
                "latency_s": " ".join(f"{each:.4f}" for each in sample["latency_s"]),
                "cpu_s": " ".join(f"{each:.4f}" for each in sample["cpu_s"]),
            })  # fmt: skip
    return rows


def read(path: Path) -> dict[str, Gate]:
    """Return the samples of each gate, in the order of the session."""
    gates: dict[str, Gate] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            gates.setdefault(row["gate"], []).append(row)
    return gates


def means(gate: Gate, side: str, column: str) -> list[float]:
    """Return the mean of each process of a side, in seconds."""
    return [
        statistics.fmean(map(float, row[column].split())) for row in gate if row["side"] == side
    ]


def judged_again(gate: Gate) -> Answer:
    """Return what the samples of a gate say, by its last look."""
    column = "cpu_s" if gate[0]["metric"] == Metric.CPU else "latency_s"
    look = look_at(means(gate, "baseline", column), means(gate, "candidate", column), limit=LIMIT)
    return CALLS[look.call]


def compare_fails(now_s: list[float], before_s: list[float]) -> bool:
    """Tell what --benchmark-compare-fail=mean:10% says of two runs."""
    parse: Any = utils.parse_compare_fail  # untyped
    check = parse(f"mean:{LIMIT:.0%}")
    now, before = ({"mean": statistics.fmean(side)} for side in (now_s, before_s))
    return bool(check.fails(now, before))


def table(gates: dict[str, Gate]) -> list[str]:
    """Return a line for each kind of gate: answers, pairs, times, and pytest-benchmark's fails."""
    head = ("gates", "PASS", "FAIL", "NO EVIDENCE", "on CPU-seconds", "median pairs", "median time",
            "mean:10% one process", "all processes", "gate before")  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for kind in dict.fromkeys(name.partition("-")[0] for name in gates):
        own = [gate for name, gate in gates.items() if name.partition("-")[0] == kind]
        sides = [
            [means(gate, side, "latency_s") for side in ("baseline", "candidate")] for gate in own
        ]
        answers = [gate[0]["answer"] for gate in own]
        before = [(now, then) for (_, now), (then, _) in zip(sides[1:], sides, strict=False)]
        rows.append((
            f"{kind}: {len(own)}",
            *(f"{answers.count(each)}" for each in Answer),
            f"{sum(gate[0]['metric'] == Metric.CPU for gate in own)}",
            f"{statistics.median(len(gate) / 2 for gate in own):g}",
            f"{statistics.median(float(gate[0]['elapsed_s']) for gate in own):.0f} s",
            f"{sum(compare_fails(now[:1], then[:1]) for then, now in sides)} fail",
            f"{sum(compare_fails(now, then) for then, now in sides)} fail",
            f"{sum(compare_fails(now, then) for now, then in before)} of {len(before)} fail",
        ))  # fmt: skip
    return table_lines(rows)


def slowdowns(gates: dict[str, Gate]) -> list[str]:
    """Return, for each kind of gate, the ratio of CPU-seconds over all its processes."""
    lines = []
    for kind in dict.fromkeys(name.partition("-")[0] for name in gates):
        own = [gate for name, gate in gates.items() if name.partition("-")[0] == kind]
        then, now = ([one for gate in own for one in means(gate, side, "cpu_s")]
                     for side in ("baseline", "candidate"))  # fmt: skip
        ratio = statistics.geometric_mean(now) / statistics.geometric_mean(then)
        lines.append(f"{kind}: {len(then)} pairs, CPU-seconds {100 * (ratio - 1):+.1f} %")
    return lines


def main() -> None:
    """Collect where folders are given, then print the table."""
    path, *folders = map(Path, sys.argv[1:])
    if folders:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(collected(folders))
    gates = read(path)
    differ = [name for name, gate in gates.items() if judged_again(gate) != gate[0]["answer"]]
    print("\n".join([*table(gates), "", *slowdowns(gates)]))
    if differ:
        print(f"judged otherwise from the samples: {', '.join(differ)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
