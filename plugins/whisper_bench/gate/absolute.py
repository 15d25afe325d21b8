"""Compare a candidate with saved runs of the same machine, on a runner that does nothing else.

Runs at different hours differ more than the processes of one run show. So the saved runs are the
samples, and the interval is a prediction interval for a future run (G. J. Hahn and W. Q. Meeker,
"Statistical Intervals" (1991), section 4.7; here of logarithms).
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from whisper_bench.case.contention import are_many
from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.gate.gate import Gate, Rules
from whisper_bench.gate.machines import same_machine
from whisper_bench.gate.process import ProcessRun, process_run
from whisper_bench.gate.report import Answer, CaseAnswer, Metric
from whisper_bench.gate.sequential import ERROR_RATE, Call, Look, call_of
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.gate.words import change_within, waits_text
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.load import facts_of_saved, run_case
from whisper_bench.ratio.merge import merge_runs
from whisper_bench.ratio.run import Run, RunCase, SampleKind
from whisper_bench.saved.file import read_saved, records_of
from whisper_bench.saved.find import every_saved, save_name
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import LogMean, Term, product_of


class Baseline(msgspec.Struct, frozen=True):
    """Runs saved under a name as one, and the newest of them as it was measured.

    `processes` and `rounds` (in each of them) are the newest's, of its first case.
    """

    name: str
    runs: Run
    newest: ProcessRun
    processes: int
    rounds: int


def load_baseline(name: str, storage: Path) -> Baseline:
    """Load every run saved under a name.

    Raises:
        BenchError: there are fewer than two, one is broken, or they are not comparable.

    """
    paths = every_saved(name, storage)
    runs = [_run_without_warnings(path) for path in paths]
    try:
        merged = merge_runs(runs)
    except NotComparableError as error:
        # misuse, not a failed candidate: it was not measured
        raise BenchError(f"saved:{name}: {error}") from error
    _, path = max((run.facts.moment, path) for run, path in zip(runs, paths, strict=True))
    newest = process_run(read_saved(path), str(path))
    record = newest.cases[0].record
    processes = len(record.processes)
    return Baseline(name, merged, newest, processes, -(-len(record.rounds) // processes))


def _run_without_warnings(path: Path) -> Run:
    """Return a saved run without the warnings that a ratio prints."""
    saved, where = read_saved(path), str(path)
    facts = facts_of_saved(saved, save_name(path), where)
    return Run(facts, [run_case(record) for record in records_of(saved, where)])


class AbsoluteGate(Gate):
    """Measures the candidate alone, in as many processes as a saved run has."""

    _turns_a_pair = 1
    _machine = staticmethod(same_machine)

    def __init__(
        self,
        baseline: Baseline,
        candidate: Side,
        rules: Rules,
        *,
        measure: Callable[[Side], ProcessRun],
        say: Callable[[str], None],
    ) -> None:
        rules = msgspec.structs.replace(rules, most_pairs=baseline.processes)
        saved = Side(SideKind.SAVED, baseline.name)
        super().__init__((saved, candidate), rules, measure=measure, say=say)
        self._baseline = baseline
        self._paired.runs["baseline"].append(baseline.newest)

    def _measured(self) -> list[CaseAnswer]:
        for number in range(1, self._baseline.processes + 1):
            self._take("candidate", number)
            if number == 1:
                self._compare()
        pooled = self._pooled()
        self._judge_throttling(pooled)
        return list(self._answers(pooled["candidate"]))

    def _answers(self, records: Iterable[CaseRecord]) -> Iterable[CaseAnswer]:
        saved = {case.label: case for case in self._baseline.runs.cases}
        for record in records:
            level = ERROR_RATE / len(saved)
            yield _answer(
                saved[record.label], run_case(record), self._rules.max_slowdown, 1 - level
            )


def _answer(saved: RunCase, candidate: RunCase, limit: float, confidence: float) -> CaseAnswer:
    here, there = _disturbed(saved), _disturbed(candidate)
    metric = Metric.CPU if here and saved.cpu and candidate.cpu else Metric.WALL
    before, now = (_at_equal_work(case, saved, metric) for case in (saved, candidate))
    slowdown = next_run_over(before, now, confidence)
    call = call_of(slowdown, limit)
    change = f"{change_within(slowdown)} {metric} against {saved.runs} saved runs"
    reason = {
        Call.SLOWER: f"slower: {change}",
        Call.NOT_SLOWER: f"not slower: {change}",
        Call.OPEN: f"the limit is inside the interval: {change}; save more runs to narrow it",
    }[call]
    if metric is Metric.CPU and call is Call.NOT_SLOWER:
        before_s, now_s = (_at_equal_work(case, saved, Metric.WALL) for case in (saved, candidate))
        wall = next_run_over(before_s, now_s, confidence)
        if call_of(wall, limit) is Call.SLOWER:
            call, reason = Call.OPEN, waits_text(wall, reason)
    if (here or there) and metric is Metric.WALL:
        call = Call.OPEN
        reason = (
            f"{candidate.contended_rounds} of {candidate.rounds} rounds contended, and "
            f"{saved.contended_rounds} of {saved.rounds} saved ones: the runner was busy or the "
            f"candidate waits; {change}"
        )
    return CaseAnswer(
        case=candidate.label,
        answer={
            Call.SLOWER: Answer.FAIL, Call.NOT_SLOWER: Answer.PASS, Call.OPEN: Answer.NO_EVIDENCE
        }[call],
        reason=f"{reason}, {100 * limit:g} % allowed",
        metric=metric,
        baseline_s=before.value,
        candidate_s=now.value,
        look=Look(candidate.processes, slowdown, None, call),
    )  # fmt: skip


def _at_equal_work(case: RunCase, saved: RunCase, metric: Metric) -> LogMean:
    """Return the means of the saved runs, or of the candidate's processes, at the saved tokens."""
    kind: SampleKind = "runs" if case is saved else "processes"
    measured = case.latency if metric is Metric.WALL or case.cpu is None else case.cpu
    if case.work is None or saved.work is None:
        return measured.of(kind)
    at = case.work.latency if measured is case.latency else case.work.cpu
    return at(saved.identity.tokens, measured, kind)


def next_run_over(before: LogMean, now: LogMean, confidence: float) -> Estimate | None:
    """Return a run's mean divided by that of earlier runs, with the prediction interval."""
    spread = product_of([Term(-1, before, future=1)], confidence)
    return None if spread is None else spread.times(now.value)


def _disturbed(case: RunCase) -> bool:
    return are_many(case.contended_rounds or 0, case.rounds)
