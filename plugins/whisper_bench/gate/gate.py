"""One gate: both sides measured in turns, and checked, until there is enough evidence."""

import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import fmean

import msgspec

from whisper_bench.case.record import CaseRecord
from whisper_bench.gate.checks import (
    answers_right,
    not_throttled,
    notes,
    same_cases,
    same_identity,
    steady,
    too_few_periods,
)
from whisper_bench.gate.limits import memory_within_limit, threads_within_limit
from whisper_bench.gate.machines import same_chip
from whisper_bench.gate.paired_runs import PairedRuns, SideName
from whisper_bench.gate.process import ProcessRun, SideFailedError
from whisper_bench.gate.report import Answer, CaseAnswer, Check, GateReport, SideFacts
from whisper_bench.gate.sequential import BLOCK_PAIRS, ERROR_RATE, is_look
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.gate.words import change_within
from whisper_bench.text.amounts import clock_time


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits for the candidate. `max_slowdown` is 0.1 for 10 %, `cpus` the limit demanded.

    `tree_seen`: the gate itself sees its control groups up to their root, and the engine's
    containers run under that root, so that what a container cannot see above it is known.
    """

    max_slowdown: float
    most_pairs: int
    allow_mismatch: list[str]
    memory_limit_bytes: int | None
    cpus: float | None
    tree_seen: bool = False


class _EndedError(Exception):
    """The gate is decided before any look at the slowdown."""


class Gate:
    """Measures two sides; `measure` runs one process of a side, `say` prints a line for people."""

    _turns_a_pair = 2
    _machine = staticmethod(same_chip)

    def __init__(
        self,
        sides: tuple[Side, Side],
        rules: Rules,
        *,
        measure: Callable[[Side], ProcessRun],
        say: Callable[[str], None],
    ) -> None:
        self._sides: dict[SideName, Side] = {"baseline": sides[0], "candidate": sides[1]}
        self._rules = rules
        self._measure = measure
        self._say = say
        self._paired = PairedRuns(rules.max_slowdown, rules.most_pairs)
        self._checks: list[Check] = []
        self._began = datetime.now(UTC).replace(microsecond=0)
        self._start_s = time.monotonic()

    def run(self, checks: Collection[Check] = ()) -> GateReport:
        """Measure to the end; `checks` are those that need no measurement, and come first."""
        self._checks = list(checks)
        try:
            self._stop_at_failure()
            return self._report(self._measured())
        except _EndedError:
            return self._report([])

    def _measured(self) -> list[CaseAnswer]:
        answers: list[CaseAnswer] = []
        for pair in range(1, self._rules.most_pairs + 1):
            order: tuple[SideName, SideName] = ("baseline", "candidate")
            for side in order if pair % BLOCK_PAIRS else order[::-1]:
                self._take(side, pair)
            if pair == 1:
                self._compare()
            if not is_look(pair, self._rules.most_pairs):
                continue
            answers = self._paired.answers()
            self._report_look(answers, pair)
            pooled = self._pooled()
            self._judge_throttling(pooled)
            if self._decided(answers, pooled.values()):
                break
        return answers

    def _pooled(self) -> dict[SideName, list[CaseRecord]]:
        return {side: self._paired.pooled(side) for side in self._sides}

    def _decided(self, answers: list[CaseAnswer], pooled: Iterable[list[CaseRecord]]) -> bool:
        """Return whether more pairs cannot change the answer: a case fails, or all pass."""
        kinds = {case.answer for case in answers}
        open_yet = Answer.NO_EVIDENCE in kinds or any(map(too_few_periods, pooled))
        return Answer.FAIL in kinds or not open_yet

    def _take(self, side: SideName, pair: int) -> None:
        try:
            run = self._measure(self._sides[side])
        except SideFailedError as error:
            self._fail("runs", side, f"the {side} {self._sides[side]}: {error}")
        runs = self._paired.runs[side]
        if runs and (changes := steady(runs[0], run)):
            self._fail(changes[0].name, side, f"{self._sides[side]}: {changes[0].message}")
        self._paired.add(side, run)
        means = ", ".join(
            f"{case.record.label} {fmean(round_.latency_s for round_ in case.record.rounds):.3f} s"
            for case in run.cases
        )
        elapsed_s = time.monotonic() - self._start_s
        share = len(self._paired.turns) / (self._turns_a_pair * self._rules.most_pairs)
        left = clock_time(elapsed_s / share - elapsed_s)
        place = f"{side:9} {pair:2}/{self._rules.most_pairs}"
        self._say(f"{clock_time(elapsed_s)}  {place}  {means}  at most {left} left")

    def _compare(self) -> None:
        """Compare the first process of each side."""
        rules = self._rules
        baseline, candidate = (self._paired.runs[side][0] for side in self._sides)
        self._checks.append(Check("runs", Answer.PASS, "both sides gave complete results"))
        self._checks += self._machine(baseline, candidate)
        self._checks.append(same_cases(baseline, candidate))
        self._stop_at_failure()
        self._checks += same_identity(baseline, candidate, rules.allow_mismatch)
        self._checks.append(answers_right(baseline, candidate))
        self._checks.append(threads_within_limit(candidate, rules.cpus))
        self._stop_at_failure()

    def _judge_throttling(self, pooled: dict[SideName, list[CaseRecord]]) -> None:
        candidate, baseline = (
            not_throttled(name, pooled[name], tree_seen=self._tree_seen(name))
            for name in ("candidate", "baseline")
        )
        if baseline.answer is Answer.FAIL:
            baseline = msgspec.structs.replace(baseline, answer=Answer.NO_EVIDENCE)
        memory = memory_within_limit(pooled["candidate"], self._rules.memory_limit_bytes)
        late = [candidate, baseline, *memory]
        names = {check.name for check in late}
        self._checks = [check for check in self._checks if check.name not in names] + late
        self._stop_at_failure()

    def _tree_seen(self, side: SideName) -> bool:
        """Return whether the gate knows the control groups that a side cannot see."""
        return self._rules.tree_seen and self._sides[side].kind is SideKind.IMAGE

    def _stop_at_failure(self) -> None:
        if any(check.answer is Answer.FAIL for check in self._checks):
            raise _EndedError

    def _fail(self, name: str, side: SideName, message: str) -> None:
        """End the gate: FAIL for a fault of the candidate, NO EVIDENCE for one of the baseline."""
        answer = Answer.FAIL if side == "candidate" else Answer.NO_EVIDENCE
        self._checks.append(Check(name, answer, message))
        raise _EndedError

    def _report_look(self, answers: list[CaseAnswer], pair: int) -> None:
        for case in answers:
            look = case.look
            self._say(
                f"{clock_time(time.monotonic() - self._start_s)}  after {pair} pairs: {case.case}: "
                f"{change_within(look.slowdown)} {case.metric}; against itself "
                f"{change_within(look.control)}"
            )

    def _report(self, answers: list[CaseAnswer]) -> GateReport:
        runs = [self._paired.runs[side][:1] for side in self._sides]
        answer, reason = _verdict(self._checks, answers)
        return GateReport(
            tool_version=version("pytest-whisper-bench"),
            began=self._began,
            elapsed_s=time.monotonic() - self._start_s,
            answer=answer,
            reason=reason,
            limit=self._rules.max_slowdown,
            error_rate=ERROR_RATE,
            most_pairs=self._rules.most_pairs,
            baseline=_facts(self._sides["baseline"], runs[0]),
            candidate=_facts(self._sides["candidate"], runs[1]),
            checks=self._checks,
            cases=answers,
            notes=notes(runs[0][0], runs[1][0]) if all(runs) else [],
            turns=self._paired.turns,
        )


def _verdict(checks: list[Check], answers: list[CaseAnswer]) -> tuple[Answer, str]:
    """Return the answer and the one line that says why: the worst of checks and cases."""
    answered = [(check.answer, f"{check.name}: {check.message}") for check in checks]
    answered += [(case.answer, f"{case.case}: {case.reason}") for case in answers]
    for answer in (Answer.FAIL, Answer.NO_EVIDENCE):
        reasons = [reason for own, reason in answered if own is answer]
        if reasons:
            return answer, reasons[0]
    return Answer.PASS, "; ".join(f"{case.case}: {case.reason}" for case in answers)


def _facts(side: Side, runs: list[ProcessRun]) -> SideFacts | None:
    if not runs:
        return None
    machine, record = runs[0].machine, runs[0].cases[0].record
    return SideFacts(
        **msgspec.structs.asdict(machine.chip),
        what=str(side),
        node=machine.node,
        instruction_set=record.backend.instruction_set or "unknown",
        versions=record.versions,
    )
