"""Count the answers of real gates, and what pytest-benchmark says of the same samples.

    python benchmarks/gate_trials.py SAMPLES.csv            # print the table
    python benchmarks/gate_trials.py SAMPLES.csv FOLDER...  # add gates first, a gate.json each

The samples have one line per process. A gate's name begins with what was tried (aa-1-01: a build
against itself) and the lane (1: gates of a lane ran one after another). Another day was another
machine, and is counted separately. Beside each gate's answer is the result of
`--benchmark-compare-fail=mean:10%`, by pytest-benchmark's own class, on the wall times of the same
rounds: of the first process of each side, as two runs are compared; of all processes of the gate,
which is in its favour, since those ran in turns; and of the candidate against the baseline of the
gate before, like a run saved earlier.

Then gates are replayed on the processes of a build against itself, in the order in which they ran:
unchanged, and with the candidate's times longer by a known share. A replayed gate begins where the
one before ended, not where the real ones began. Gates of two lanes ran at the same time.
"""

import csv
import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_benchmark import utils

from whisper_bench.case.contention import are_many
from whisper_bench.gate.report import Answer, Metric
from whisper_bench.gate.sequential import LOOKS, Call, look_at
from whisper_bench.text.table import table_lines

COLUMNS = (
    "gate", "date", "answer", "metric", "elapsed_s",
    "pair", "side", "contended", "latency_s", "cpu_s",
)  # fmt: skip
LIMIT = 0.10
FACTORS = (1.0, 1.05, 1.15, 1.2)
CALLS = {Call.SLOWER: Answer.FAIL, Call.NOT_SLOWER: Answer.PASS, Call.OPEN: Answer.NO_EVIDENCE}
Gate = list[dict[str, str]]


def collected(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return one row per process of the gates in some folders, in the order of their names."""
    rows = []
    for folder in folders:
        gate = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
        for turn in gate["turns"]:
            (sample,) = turn["samples"]
            rows.append({
                "gate": folder.name,
                "date": gate["began"][:10],
                "answer": gate["answer"],
                "metric": gate["cases"][0]["metric"],
                "elapsed_s": f"{gate['elapsed_s']:.1f}",
                "pair": turn["pair"],
                "side": turn["side"],
                "contended": sample["contended_rounds"],
                "latency_s": " ".join(f"{latency_s:.4f}" for latency_s in sample["latency_s"]),
                "cpu_s": " ".join(f"{cpu_s:.4f}" for cpu_s in sample["cpu_s"]),
            })  # fmt: skip
    return rows


def add(path: Path, folders: Iterable[Path]) -> None:
    """Add the processes of more gates to a file."""
    before = [row for gate in read(path).values() for row in gate] if path.exists() else []
    known = {row["gate"] for row in before}
    rows = [*before, *collected(folder for folder in folders if folder.name not in known)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: Path) -> dict[str, Gate]:
    """Return the samples of each gate, in the order of the session."""
    gates: dict[str, Gate] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            gates.setdefault(row["gate"], []).append(row)
    return gates


def kinds(gates: dict[str, Gate]) -> dict[str, list[Gate]]:
    """Return the gates of each kind and day."""
    by_kind: dict[str, list[Gate]] = {}
    for name, gate in gates.items():
        by_kind.setdefault(f"{name.partition('-')[0]} on {gate[0]['date']}", []).append(gate)
    return by_kind


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
    """Return whether --benchmark-compare-fail=mean:10% fails for two runs."""
    parse: Any = utils.parse_compare_fail  # untyped
    check = parse(f"mean:{LIMIT:.0%}")
    now, before = ({"mean": statistics.fmean(side)} for side in (now_s, before_s))
    return bool(check.fails(now, before))


def table(gates: dict[str, Gate]) -> list[str]:
    """Return a line for each kind of gate: answers, pairs, times, and pytest-benchmark's fails."""
    head = ("gates", "PASS", "FAIL", "NO EVIDENCE", "on CPU-seconds", "median pairs", "median time",
            "mean:10% one process", "all processes", "gate before")  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for kind, own in kinds(gates).items():
        sides = [
            [means(gate, side, "latency_s") for side in ("baseline", "candidate")] for gate in own
        ]
        answers = [gate[0]["answer"] for gate in own]
        before = [(now, then) for (_, now), (then, _) in zip(sides[1:], sides, strict=False)]
        rows.append((
            f"{kind}: {len(own)}",
            *(f"{answers.count(answer)}" for answer in Answer),
            f"{sum(gate[0]['metric'] == Metric.CPU for gate in own)}",
            f"{statistics.median(len(gate) / 2 for gate in own):g}",
            f"{statistics.median(float(gate[0]['elapsed_s']) for gate in own):.0f} s",
            f"{sum(compare_fails(now[:1], then[:1]) for then, now in sides)} fail",
            f"{sum(compare_fails(now, then) for then, now in sides)} fail",
            f"{sum(compare_fails(now, then) for now, then in before)} of {len(before)} fail",
        ))  # fmt: skip
    return table_lines(rows)


def series(gates: dict[str, Gate]) -> dict[str, list[Gate]]:
    """Return, for each day, the processes of a build against itself, lane by lane."""
    lanes: dict[str, dict[str, Gate]] = {}
    for name in sorted(gates):
        if name.partition("-")[0] == "aa":
            lane = lanes.setdefault(gates[name][0]["date"], {})
            lane.setdefault(name.rpartition("-")[0], []).extend(gates[name])
    return {date: [*own.values()] for date, own in lanes.items()}


def replay(rows: Gate, factor: float) -> Iterable[Call]:
    """Yield how gates end on processes in their true order, the candidate's times by a factor.

    One gate begins where the one before ended; an incomplete one at the end is left out.
    """
    start = 0
    while (call := ended(rows[start:], factor)) is not None:
        start += 2 * call[1]
        yield call[0]


def ended(rows: Gate, factor: float) -> tuple[Call, int] | None:
    """Return how a gate ends and after how many pairs; None: the rows end before it does."""
    for pairs in LOOKS:
        if 2 * pairs > len(rows):
            return None
        now = rows[: 2 * pairs]
        baseline = [row for row in now if row["side"] == "baseline"]
        contended = sum(int(row["contended"] or 0) for row in baseline)
        rounds = sum(len(row["latency_s"].split()) for row in baseline)
        column = "cpu_s" if are_many(contended, rounds) else "latency_s"
        candidate_s = [factor * mean_s for mean_s in means(now, "candidate", column)]
        call = look_at(means(now, "baseline", column), candidate_s, limit=LIMIT).call
        if call is not Call.OPEN:
            return call, pairs
    return Call.OPEN, LOOKS[-1]


def replays(gates: dict[str, Gate]) -> list[str]:
    """Return a line for each slowdown put into the samples of a build against itself."""
    lines = []
    for date, lanes in series(gates).items():
        for factor in FACTORS:
            calls = [CALLS[call] for rows in lanes for call in replay(rows, factor)]
            counts = ", ".join(f"{calls.count(answer)} {answer}" for answer in Answer)
            slowdown = f"{100 * (factor - 1):+.0f} %"
            lines.append(f"{date} replayed at {slowdown}: {len(calls)} gates, {counts}")
    return lines


def slowdowns(gates: dict[str, Gate]) -> list[str]:
    """Return, for each kind of gate, the ratio of CPU-seconds over all its processes."""
    lines = []
    for kind, own in kinds(gates).items():
        then, now = ([mean_s for gate in own for mean_s in means(gate, side, "cpu_s")]
                     for side in ("baseline", "candidate"))  # fmt: skip
        ratio = statistics.geometric_mean(now) / statistics.geometric_mean(then)
        lines.append(f"{kind}: {len(then)} pairs, CPU-seconds {100 * (ratio - 1):+.1f} %")
    return lines


def main() -> None:
    """Add gates if folders are given, then print the table."""
    path, *folders = map(Path, sys.argv[1:])
    if folders:
        add(path, folders)
    gates = read(path)
    differ = [name for name, gate in gates.items() if judged_again(gate) != gate[0]["answer"]]
    print("\n".join([*table(gates), "", *slowdowns(gates), *replays(gates)]))
    if differ:
        print(f"the samples give another answer: {', '.join(differ)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
