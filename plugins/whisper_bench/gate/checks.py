"""What must hold of the candidate whatever the time: each a hard fail with its own message."""

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
"""Rise in the word error rate that is a fail where transcripts may differ: 2 words in 100."""
TRANSCRIPT = "transcript"
_VERSIONS = "versions."


def check_allowed(fields: Collection[str]) -> None:
    """Refuse a field that is never compared.

    Raises:
        BenchError: it names the field and those that can be let through.

    """
    check_allowable([field for field in fields if field != TRANSCRIPT])
    if CASES in fields:
        raise BenchError(
            f"--allow-mismatch {CASES}: a case that is missing or renamed cannot be gated; give "
            "both sides the same cases"
        )


def same_cases(baseline: ProcessRun, candidate: ProcessRun) -> Check:
    """Check that both sides measure the same cases by benchmarks of the same names."""
    here, there = ({_full(each) for each in run.cases} for run in (baseline, candidate))
    missing, new = sorted(here - there), sorted(there - here)
    told = [f"missing in the candidate: {', '.join(missing)}"] if missing else []
    told += [f"only in the candidate: {', '.join(new)}"] if new else []
    if not told:
        return Check("cases", Answer.PASS, f"both sides measure {', '.join(sorted(here))}")
    why = "; ".join(told)
    return Check("cases", Answer.FAIL, f"{why}: a case is missing or renamed")


def same_identity(
    baseline: ProcessRun, candidate: ProcessRun, allow: Collection[str]
) -> list[Check]:
    """Compare model, clip, decoding, threads, limit, tokens and transcript."""
    found = [
        each
        for here, there in _by_case(baseline, candidate)
        for each in _differences(here, there)
        if not each.field.startswith(_VERSIONS)
    ]
    refused = [each for each in found if not is_allowed(each.field, allow)]
    let_through = [plain(str(each)) for each in found if each not in refused]
    if refused:
        return [Check(each.field, Answer.FAIL, _told(each)) for each in refused]
    what = "model, clip, decoding, threads, limit, tokens and transcript are the same"
    if let_through:
        what = f"let through: {'; '.join(let_through)}"
    return [Check("identity", Answer.PASS, what)]


def steady(first: ProcessRun, later: ProcessRun) -> list[Check]:
    """Hold a later process of a side to what its first one measured, to the word."""
    if [_full(each) for each in first.cases] != [_full(each) for each in later.cases]:
        return [Check("steady", Answer.FAIL, "a later process measured other cases than the first")]
    if first.machine.kind != later.machine.kind:
        why = f"the first process ran on {first.machine}, a later one on {later.machine}"
        return [Check("steady", Answer.FAIL, why)]
    found = [each for here, there in _by_case(first, later) for each in _differences(here, there)]
    return [
        Check("steady", Answer.FAIL, f"a later process differs from the first: {_told(each)}")
        for each in found
    ]


def answers_right(baseline: ProcessRun, candidate: ProcessRun) -> Check:
    """Hold the word error rate to the clip's bound and to the baseline's."""
    for here, there in _by_case(baseline, candidate):
        rate, before, bound = (
            there.word_error_rate, here.word_error_rate, there.word_error_rate_bound
        )  # fmt: skip
        bounds = [each for each in (bound, here.word_error_rate_bound) if each is not None]
        if rate is not None and bounds and rate > min(bounds):
            why = f"{there.label}: word error rate {rate:.3f}, and {min(bounds):.3f} is its bound"
            return Check("word error rate", Answer.FAIL, why)
        if rate is None and before is not None:
            why = f"{there.label}: no text to hold it to, and the baseline has one"
            return Check("word error rate", Answer.FAIL, why)
        if rate is not None and before is not None and rate > before + WORSE_WORD_ERRORS:
            why = f"{there.label}: word error rate {rate:.3f}, the baseline has {before:.3f}"
            return Check("word error rate", Answer.FAIL, why)
    rates = [each.record.word_error_rate for each in candidate.cases]
    told = ", ".join("no text" if rate is None else f"{rate:.3f}" for rate in rates)
    return Check("word error rate", Answer.PASS, f"{told}, within the bounds")


def not_throttled(name: str, records: Sequence[CaseRecord]) -> Check:
    """Ask the kernel's counters over all processes of a side whether it is throttled.

    What cannot be judged is NO EVIDENCE, and with more rounds may be judged yet.
    """
    cases = judged(records).cases
    worst = [case for case in cases if _is_red(case)]
    if not worst:
        told = "; ".join(f"{case.label}: {_not_red(case)}" for case in cases)
        return Check(f"throttling of the {name}", Answer.PASS, told)
    case = min(worst, key=lambda each: each.verdict is Verdict.UNKNOWN)
    unknown = case.verdict is Verdict.UNKNOWN
    answer = Answer.NO_EVIDENCE if unknown else Answer.FAIL
    told = f"{case.label}: {case.verdict}: {'; '.join(case.evidence)}"
    return Check(f"throttling of the {name}", answer, told)


def too_few_periods(records: Sequence[CaseRecord]) -> bool:
    """Tell whether more rounds would tell more of throttling."""
    return any(map(_is_short, judged(records).cases))


def notes(baseline: ProcessRun, candidate: ProcessRun) -> list[str]:
    """Return what differs and may: node, library versions, instruction set, backend, warm-up."""
    found: list[Mismatch] = []
    for here, there in _by_case(baseline, candidate):
        found += [each for each in _differences(here, there) if each.field.startswith(_VERSIONS)]
        before, now = (case_setting(record) for record in (here, there))
        found += differing(before, now, here.label)
    nodes = (baseline.machine.node, candidate.machine.node)
    if nodes[0] != nodes[1]:
        found.append(Mismatch("node", *nodes, []))
    return list(dict.fromkeys(f"{each.field}: {each.reference} before, {each.target} now"
                              for each in found))  # fmt: skip


def _not_red(case: CaseVerdict) -> str:
    text, unseen = case.evidence[0], case.cpu_limit.unseen
    if unseen is None or not hidden_by_contention(case):
        return text
    return f"{text}; rounds were contended, so that a smaller quota is not excluded ({unseen})"


def _is_red(case: CaseVerdict) -> bool:
    """Tell whether a case has a finding that a stress test fails for, but for contention.

    A gate's threads fit in their limit, so that its quota would not throttle them on a quiet
    machine either, and what contended rounds are worth is the gate's own question (paired_runs.py).
    """
    findings = list(case.findings)
    if hidden_by_contention(case):
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
    there = {each.record.label: each.record for each in candidate.cases}
    return [
        (each.record, there[each.record.label])
        for each in baseline.cases
        if each.record.label in there
    ]


def _told(each: Mismatch) -> str:
    if each.field == TRANSCRIPT:
        here, there = (f"{str(text)[:60]!r}" for text in (each.reference, each.target))
        return f"transcript of {each.cases[0]}: {here} became {there}"
    return plain(f"{each.field} of {each.cases[0]}: {each.reference} became {each.target}")


def _full(each: NamedCase) -> str:
    return f"{each.name}[{each.record.label}]"
