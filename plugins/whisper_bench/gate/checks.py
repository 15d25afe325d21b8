"""Checks that need no timing: each fails the candidate with its own message."""

from collections.abc import Collection, Iterable, Sequence

from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.gate.process import NamedCase, ProcessRun
from whisper_bench.gate.report import Answer, Check
from whisper_bench.ratio.comparable import (
    CASES,
    Mismatch,
    check_allowable,
    differing,
    is_allowed,
)
from whisper_bench.ratio.fields import fields_of
from whisper_bench.ratio.load import case_identity, case_setting
from whisper_bench.text.plain import plain
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.verdict import (
    FAILING,
    FEWEST_PERIODS,
    CaseVerdict,
    Verdict,
    hidden_by_contention,
)

WORSE_WORD_ERRORS = 0.02
"""Rise in the word error rate that fails if transcripts may differ: 2 words in 100."""
TRANSCRIPT = "transcript"
_VERSIONS = "versions."


def check_allowed(fields: Collection[str]) -> None:
    """Refuse a field that is never compared.

    Raises:
        BenchError: it names the field and those that can be allowed.

    """
    check_allowable([field for field in fields if field != TRANSCRIPT])
    if CASES in fields:
        raise BenchError(
            f"--allow-mismatch {CASES}: a case that is missing or renamed cannot be compared; "
            "measure the same cases on both sides"
        )


def same_cases(baseline: ProcessRun, candidate: ProcessRun) -> Check:
    """Check that both sides measure the same cases by benchmarks of the same names."""
    here, there = ({_full_name(case) for case in run.cases} for run in (baseline, candidate))
    missing, new = sorted(here - there), sorted(there - here)
    differences = [f"missing in the candidate: {', '.join(missing)}"] if missing else []
    differences += [f"only in the candidate: {', '.join(new)}"] if new else []
    if not differences:
        return Check("cases", Answer.PASS, f"both sides measure {', '.join(sorted(here))}")
    why = "; ".join(differences)
    return Check("cases", Answer.FAIL, f"{why}; measure the same cases on both sides")


def same_identity(
    baseline: ProcessRun, candidate: ProcessRun, allow: Collection[str]
) -> list[Check]:
    """Compare model, clip, decoding, threads, limit, tokens and transcript."""
    mismatches = [
        mismatch
        for here, there in _by_case(baseline, candidate)
        for mismatch in _differences(here, there)
        if not mismatch.field.startswith(_VERSIONS)
    ]
    refused = [mismatch for mismatch in mismatches if not is_allowed(mismatch.field, allow)]
    allowed = [plain(str(mismatch)) for mismatch in mismatches if mismatch not in refused]
    if refused:
        return [
            Check(mismatch.field, Answer.FAIL, _mismatch_text(mismatch)) for mismatch in refused
        ]
    what = "model, clip, decoding, threads, limit, tokens and transcript are the same"
    if allowed:
        what = f"allowed to differ: {'; '.join(allowed)}"
    return [Check("identity", Answer.PASS, what)]


def steady(first: ProcessRun, later: ProcessRun) -> list[Check]:
    """Compare a later process of a side with its first one, including the transcript."""
    if [_full_name(case) for case in first.cases] != [_full_name(case) for case in later.cases]:
        return [Check("steady", Answer.FAIL, "a later process measured other cases than the first")]
    if first.machine.kind != later.machine.kind:
        why = f"the first process ran on {first.machine}, a later one on {later.machine}"
        return [Check("steady", Answer.FAIL, why)]
    mismatches = [
        mismatch for here, there in _by_case(first, later) for mismatch in _differences(here, there)
    ]
    return [
        Check(
            "steady",
            Answer.FAIL,
            f"a later process differs from the first: {_mismatch_text(mismatch)}",
        )
        for mismatch in mismatches
    ]


def answers_right(baseline: ProcessRun, candidate: ProcessRun) -> Check:
    """Compare the word error rate with the clip's bound and with the baseline's rate."""
    for here, there in _by_case(baseline, candidate):
        rate, before, bound = (
            there.word_error_rate, here.word_error_rate, there.word_error_rate_bound
        )  # fmt: skip
        bounds = [value for value in (bound, here.word_error_rate_bound) if value is not None]
        if rate is not None and bounds and rate > min(bounds):
            why = f"{there.label}: word error rate {rate:.3f}, above the bound {min(bounds):.3f}"
            return Check("word error rate", Answer.FAIL, why)
        if rate is None and before is not None:
            why = f"{there.label}: no text to compare with, but the baseline has one"
            return Check("word error rate", Answer.FAIL, why)
        if rate is not None and before is not None and rate > before + WORSE_WORD_ERRORS:
            why = f"{there.label}: word error rate {rate:.3f}, but the baseline has {before:.3f}"
            return Check("word error rate", Answer.FAIL, why)
    rates = [case.record.word_error_rate for case in candidate.cases]
    shown = ", ".join("no text" if rate is None else f"{rate:.3f}" for rate in rates)
    return Check("word error rate", Answer.PASS, f"{shown}, within the bounds")


def not_throttled(name: str, records: Sequence[CaseRecord], *, tree_seen: bool = False) -> Check:
    """Judge throttling by the kernel's counters, over all processes of a side.

    A case that cannot be judged is NO EVIDENCE; more rounds may help. `tree_seen`: the gate knows
    the control groups that the side cannot see.
    """
    cases = judged(records).cases
    worst = [case for case in cases if _is_red(case, tree_seen=tree_seen)]
    if not worst:
        message = "; ".join(f"{case.label}: {case.evidence[0]}" for case in cases)
        return Check(f"throttling of the {name}", Answer.PASS, message)
    case = min(worst, key=lambda failed: failed.verdict is Verdict.UNKNOWN)
    unknown = case.verdict is Verdict.UNKNOWN
    answer = Answer.NO_EVIDENCE if unknown else Answer.FAIL
    message = f"{case.label}: {case.verdict}: {'; '.join(case.evidence)}{_hidden_quota(case)}"
    return Check(f"throttling of the {name}", answer, message)


def too_few_periods(records: Sequence[CaseRecord]) -> bool:
    """Return whether more rounds could still decide about throttling."""
    return any(map(_is_short, judged(records).cases))


def notes(baseline: ProcessRun, candidate: ProcessRun) -> list[str]:
    """Return the allowed differences: node, library versions, instruction set, backend, warm-up."""
    mismatches: list[Mismatch] = []
    for here, there in _by_case(baseline, candidate):
        mismatches += [
            mismatch
            for mismatch in _differences(here, there)
            if mismatch.field.startswith(_VERSIONS)
        ]
        before, now = (case_setting(record) for record in (here, there))
        mismatches += differing(before, now, here.label)
    nodes = (baseline.machine.node, candidate.machine.node)
    if nodes[0] != nodes[1]:
        mismatches.append(Mismatch("node", *nodes, []))
    lines = (f"{mismatch.field}: {mismatch.reference} before, {mismatch.target} now"
             for mismatch in mismatches)  # fmt: skip
    return list(dict.fromkeys(lines))


def _hidden_quota(case: CaseVerdict) -> str:
    """Say what contended rounds may be under a tree of control groups that was not seen whole."""
    unseen = case.cpu_limit.unseen
    if unseen is None or not hidden_by_contention(case):
        return ""
    return (
        f"; contended rounds may be a smaller quota that is hidden ({unseen}): run the gate on a "
        "quiet machine, or where it sees all control groups"
    )


def _is_red(case: CaseVerdict, *, tree_seen: bool) -> bool:
    """Return whether a case has a finding that fails a stress test, contention aside.

    A gate's threads fit in their limit, so the quota would not throttle them on a quiet machine
    either. The gate handles contended rounds by itself (paired_runs.py). But where control groups
    are hidden, a smaller quota above would look like a neighbour.
    """
    findings = list(case.findings)
    if hidden_by_contention(case) and (tree_seen or case.cpu_limit.unseen is None):
        findings.remove(Verdict.UNKNOWN)
    return bool(FAILING & set(findings))


def _is_short(case: CaseVerdict) -> bool:
    counters = case.counters
    return (
        Verdict.UNKNOWN in case.findings
        and case.cpu_limit.quota_cpus is not None
        and counters is not None
        and counters.periods < FEWEST_PERIODS
    )


def _differences(here: CaseRecord, there: CaseRecord) -> Iterable[Mismatch]:
    before, now = (
        {**fields_of(case_identity(record)), TRANSCRIPT: record.transcript}
        for record in (here, there)
    )
    return differing(before, now, here.label)


def _by_case(baseline: ProcessRun, candidate: ProcessRun) -> list[tuple[CaseRecord, CaseRecord]]:
    there = {case.record.label: case.record for case in candidate.cases}
    return [
        (case.record, there[case.record.label])
        for case in baseline.cases
        if case.record.label in there
    ]


def _mismatch_text(mismatch: Mismatch) -> str:
    if mismatch.field == TRANSCRIPT:
        here, there = (f"{str(text)[:60]!r}" for text in (mismatch.reference, mismatch.target))
        return f"transcript of {mismatch.cases[0]}: {here} became {there}"
    return plain(
        f"{mismatch.field} of {mismatch.cases[0]}: {mismatch.reference} became {mismatch.target}"
    )


def _full_name(case: NamedCase) -> str:
    return f"{case.name}[{case.record.label}]"
