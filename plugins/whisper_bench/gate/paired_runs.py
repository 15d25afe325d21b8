"""All that both sides have measured so far, per case, and the slowdown that follows."""

from statistics import fmean
from typing import Literal

import msgspec

from whisper_bench.case.contention import are_many
from whisper_bench.case.record import CaseRecord, contended_rounds
from whisper_bench.case.work import times_at
from whisper_bench.gate.process import ProcessRun
from whisper_bench.gate.report import Answer, CaseAnswer, Metric, Sample, Turn
from whisper_bench.gate.sequential import Call, Look, is_look, is_within, look_at
from whisper_bench.gate.words import change_within, waits_text
from whisper_bench.stats.trimmed import trimmed_mean

SideName = Literal["baseline", "candidate"]
SIDES: tuple[SideName, SideName] = ("baseline", "candidate")


class PairedRuns:
    """The processes of both sides; a pair is one of each."""

    def __init__(self, limit: float, most_pairs: int) -> None:
        self._limit = limit
        self._most_pairs = most_pairs
        self.turns: list[Turn] = []
        self.runs: dict[SideName, list[ProcessRun]] = {"baseline": [], "candidate": []}

    def add(self, side: SideName, run: ProcessRun) -> None:
        """Add what a process measured."""
        self.runs[side].append(run)
        samples = [_sample(case.record) for case in run.cases]
        self.turns.append(Turn(len(self.runs[side]), side, samples))

    @property
    def pairs(self) -> int:
        """Number of complete pairs."""
        return min(map(len, self.runs.values()))

    @property
    def labels(self) -> list[str]:
        """Labels of the cases."""
        return [case.record.label for case in self.runs["baseline"][0].cases]

    def pooled(self, side: SideName) -> list[CaseRecord]:
        """Return a side's cases, each as one record with the rounds of all its processes."""
        return [self._pooled(side, label) for label in self.labels]

    def answers(self) -> list[CaseAnswer]:
        """Return each case's answer after the complete pairs."""
        return [self._answer(label) for label in self.labels]

    def _answer(self, label: str) -> CaseAnswer:
        metric = self._metric(label)
        baseline_s, candidate_s = (self._means_s(side, label, metric) for side in SIDES)
        look = self._look(baseline_s, candidate_s)
        reason = _reason(look, self._limit, self._metric_text(label, metric))
        if metric is Metric.CPU and look.call is Call.NOT_SLOWER:
            wall = self._look(*(self._means_s(side, label, Metric.WALL) for side in SIDES))
            if wall.call is Call.SLOWER:
                look = msgspec.structs.replace(look, call=Call.OPEN)
                reason = waits_text(wall.slowdown, reason)
        return CaseAnswer(
            case=label,
            answer=_ANSWERS[look.call],
            reason=reason,
            metric=metric,
            baseline_s=trimmed_mean(baseline_s),
            candidate_s=trimmed_mean(candidate_s),
            look=look,
        )

    def _look(self, baseline_s: list[float], candidate_s: list[float]) -> Look:
        return look_at(baseline_s, candidate_s, limit=self._limit, cases=len(self.labels))

    def _metric(self, label: str) -> Metric:
        """Return what a case is decided on: CPU-seconds from the first contended look on.

        Only the baseline's rounds count: a candidate that waits also gets less CPU, by its own
        fault. A CPU clock that is too coarse for the work (0 s) is not used.
        """
        records = self._records("baseline", label)[: self.pairs]
        clocks = [record for side in SIDES for record in self._records(side, label)]
        if any(round_.cpu_s <= 0 for record in clocks for round_ in record.rounds):
            return Metric.WALL
        contended = rounds = 0
        for pair, record in enumerate(records, start=1):
            contended += contended_rounds(record) or 0
            rounds += len(record.rounds)
            if is_look(pair, self._most_pairs) and are_many(contended, rounds):
                return Metric.CPU
        return Metric.WALL

    def _metric_text(self, label: str, metric: Metric) -> str:
        if metric is Metric.WALL:
            return str(metric)
        records = self._records("baseline", label)[: self.pairs]
        contended = sum(contended_rounds(record) or 0 for record in records)
        rounds = sum(len(record.rounds) for record in records)
        return f"{metric} ({contended} of {rounds} rounds of the baseline contended)"

    def _means_s(self, side: SideName, label: str, metric: Metric) -> list[float]:
        """Return the mean of each process, at the tokens of the baseline's first.

        They differ only where `--allow-mismatch` lets another transcript through.
        """
        first = self._records("baseline", label)[0]
        return [
            fmean(
                wall_s if metric is Metric.WALL else cpu_s
                for wall_s, cpu_s in times_at(record, first.tokens)
            )
            for record in self._records(side, label)[: self.pairs]
        ]

    def _records(self, side: SideName, label: str) -> list[CaseRecord]:
        return [
            next(case.record for case in run.cases if case.record.label == label)
            for run in self.runs[side]
        ]

    def _pooled(self, side: SideName, label: str) -> CaseRecord:
        records = self._records(side, label)
        numbers = {
            (place, process.process): number
            for number, (place, process) in enumerate(
                (
                    (place, process)
                    for place, record in enumerate(records)
                    for process in record.processes
                ),
                start=1,
            )
        }
        return msgspec.structs.replace(
            records[0],
            processes=[
                msgspec.structs.replace(process, process=numbers[place, process.process])
                for place, record in enumerate(records)
                for process in record.processes
            ],
            rounds=[
                msgspec.structs.replace(round_, process=numbers[place, round_.process])
                for place, record in enumerate(records)
                for round_ in record.rounds
            ],
            planned_rounds=sum(record.planned_rounds for record in records),
        )


_ANSWERS = {
    Call.SLOWER: Answer.FAIL,
    Call.NOT_SLOWER: Answer.PASS,
    Call.OPEN: Answer.NO_EVIDENCE,
}


def _reason(look: Look, limit: float, metric: str) -> str:
    change = f"{change_within(look.slowdown)} {metric} after {look.pairs} pairs"
    allowed = f"{100 * limit:g} % allowed"
    if look.call is Call.SLOWER:
        return f"slower: {change}, {allowed}"
    if look.call is Call.NOT_SLOWER:
        return f"not slower: {change}, {allowed}"
    if look.control is None or not is_within(look.control, limit):
        return (
            f"this runner is too noisy: a program against itself shows "
            f"{change_within(look.control)}; {change}, {allowed}"
        )
    return f"the limit is inside the interval: {change}, {allowed}"


def _sample(record: CaseRecord) -> Sample:
    return Sample(
        record.label,
        [round_.latency_s for round_ in record.rounds],
        [round_.cpu_s for round_ in record.rounds],
        contended_rounds(record),
    )
