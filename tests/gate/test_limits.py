"""Threads, memory and throttling of the candidate: each check both ways, and what it says."""

import msgspec
import pytest

from support.gates import measured_case, process, rules, several
from support.samples import LIMIT, NO_LIMIT
from whisper_bench.gate.checks import not_throttled, too_few_periods
from whisper_bench.gate.gate import Gate
from whisper_bench.gate.limits import memory_within_limit, threads_within_limit
from whisper_bench.gate.report import Answer
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import BusyThreads
from whisper_bench.throttling.judge import judged

OTHER, TWO_THREADS = ("base", 1, "other"), ("base", 2, "vi_30s")
MIB = 2**20
UNREAD = msgspec.structs.replace(NO_LIMIT, quota_trouble="cpu.max cannot be read")
HIDDEN = msgspec.structs.replace(NO_LIMIT, tree="the groups above are hidden")
PROVEN = msgspec.structs.replace(HIDDEN, busy=BusyThreads(1, 1.99, 2.0))


def limited(cpus, source="cgroup v2 quota"):
    return msgspec.structs.replace(LIMIT, cpus=cpus, quota_cpus=cpus, source=source)


def records(run):
    return [item.record for item in run.cases]


@pytest.mark.parametrize(
    ("candidate", "demanded", "answer", "message"),
    [
        (process(), 1.0, Answer.PASS, "within the limit (1 CPU)"),
        (process(limit=NO_LIMIT), None, Answer.PASS, "within the limit (no limit)"),
        (
            process(limit=NO_LIMIT),
            1.0,
            Answer.FAIL,
            "a limit of 1 CPU is demanded, but none is in force (none)",
        ),
        (
            process(limit=limited(4.0)),
            2.0,
            Answer.FAIL,
            "base-t1-vi_30s: a limit of 2 CPU is demanded, but 4 is in force",
        ),
        (
            process(case=TWO_THREADS),
            None,
            Answer.FAIL,
            "base-t2-vi_30s: 2 threads under a limit of 1 CPU: they wait for each other",
        ),
        (
            process(limit=UNREAD),
            None,
            Answer.NO_EVIDENCE,
            "it is unknown if a quota is in force: cpu.max cannot be read; look at the",
        ),
        (
            process(limit=HIDDEN),
            None,
            Answer.NO_EVIDENCE,
            "it is unknown if a quota is in force: the groups above are hidden; look at the",
        ),
        (
            process(limit=HIDDEN),
            1.0,
            Answer.FAIL,
            "a limit of 1 CPU is demanded, but the limit in force is unknown (the groups above",
        ),
        (process(limit=PROVEN), None, Answer.PASS, "within the limit (no limit)"),
        (
            process(limit=msgspec.structs.replace(NO_LIMIT, quota_trouble="/x: refused")),
            None,
            Answer.NO_EVIDENCE,
            "it is unknown if a quota is in force: /x: refused; look at the CPU limit",
        ),
        # rounded up to the kernel's microsecond, which is no larger limit
        (process(limit=limited(1.66667)), 5 / 3, Answer.PASS, "within the limit (1.66667 CPU)"),
        (process(limit=limited(1.6667)), 5 / 3, Answer.FAIL, "1.6667 is in force"),
        (process(limit=limited(0.5)), 1.0, Answer.FAIL, "1 threads under a limit of 0.5 CPU"),
        (
            process(case=TWO_THREADS, limit=limited(2.0)),
            2.0,
            Answer.PASS,
            "within the limit (2 CPU)",
        ),
    ],
)
def test_threads_fit_in_the_limit(candidate, demanded, answer, message):
    check = threads_within_limit(candidate, demanded)
    assert (check.name, check.answer) == ("threads", answer)
    assert message in check.message


@pytest.mark.parametrize(
    ("limit_mib", "answers"), [(None, []), (448, [Answer.PASS]), (447, [Answer.FAIL])]
)
def test_the_peak_fits_in_the_memory(limit_mib, answers):
    candidate = several(
        measured_case(peak_rss_bytes=448 * MIB), measured_case(case=OTHER, peak_rss_bytes=2 * MIB)
    )
    checks = memory_within_limit(records(candidate), limit_mib and limit_mib * MIB)
    assert [item.answer for item in checks] == answers
    for check in checks:
        assert check.message == f"base-t1-vi_30s: peak of 448 MiB, limit {limit_mib} MiB"


@pytest.mark.parametrize(
    ("settings", "answer", "message", "more_rounds_tell"),
    [
        ({"counters": CpuCounters(343, 1, 0.1)}, Answer.PASS, "1 of 343 periods thr", False),
        ({"counters": CpuCounters(202, 202, 9)}, Answer.FAIL, "QUOTA_THROTTLED: 202 of 202", False),
        ({"counters": CpuCounters(99, 0, 0.0)}, Answer.NO_EVIDENCE, "fewer than 100 perio", True),
        ({"counters": None}, Answer.NO_EVIDENCE, "without readable counters", False),
        ({"limit": NO_LIMIT}, Answer.PASS, "no quota in force", False),
        ({"limit": HIDDEN}, Answer.NO_EVIDENCE, "it is unknown if a quota is in force", False),
        ({"limit": PROVEN}, Answer.PASS, "no quota that would throttle: 1 busy thread", False),
    ],
)
def test_throttling_is_asked_of_the_kernel(settings, answer, message, more_rounds_tell):
    candidate = records(process(**settings))
    check = not_throttled("candidate", candidate)
    assert (check.name, check.answer) == ("throttling of the candidate", answer)
    assert message in check.message
    assert too_few_periods(candidate) == more_rounds_tell


def test_a_throttled_case_is_told_before_one_that_cannot_be_judged():
    cases = [
        measured_case(case=OTHER, counters=CpuCounters(10, 0, 0.0)),
        measured_case(counters=CpuCounters(202, 202, 9.0)),
    ]
    check = not_throttled("candidate", records(several(*cases)))
    assert (check.answer, check.message[:14]) == (Answer.FAIL, "base-t1-vi_30s")


def test_contended_rounds_alone_leave_a_gate_its_own_judgement():
    """Its threads fit in the limit; what contended rounds are worth is asked of both sides."""
    contended = records(process(cpu_s=0.6, counters=CpuCounters(200, 2, 0.0)))
    assert judged(contended).cases[0].verdict == "UNKNOWN"
    assert not_throttled("candidate", contended).answer is Answer.PASS
    few = records(process(cpu_s=0.6, counters=CpuCounters(20, 2, 0.0)))
    assert not_throttled("candidate", few).answer is Answer.NO_EVIDENCE


def test_contended_rounds_below_hidden_groups_are_no_evidence_unless_the_gate_sees_them():
    """A smaller quota above would look like a busy neighbour."""
    part = msgspec.structs.replace(LIMIT, tree="the groups above are hidden")
    hidden = records(process(cpu_s=0.6, counters=CpuCounters(200, 2, 0.0), limit=part))
    check = not_throttled("candidate", hidden)
    assert check.answer is Answer.NO_EVIDENCE
    assert "a smaller quota that is hidden (the groups above are hidden)" in check.message
    assert not_throttled("candidate", hidden, tree_seen=True).answer is Answer.PASS
    quiet = records(process(counters=CpuCounters(200, 2, 0.0), limit=part))
    assert not_throttled("candidate", quiet).answer is Answer.PASS


@pytest.mark.parametrize(
    ("kind", "answer"), [(SideKind.IMAGE, Answer.PASS), (SideKind.COMMAND, Answer.NO_EVIDENCE)]
)
def test_only_a_container_is_seen_from_outside(kind, answer):
    part = msgspec.structs.replace(LIMIT, tree="the groups above are hidden")

    def measure(_side):
        return process(cpu_s=0.6, counters=CpuCounters(50, 0, 0.0), limit=part)

    sides = Side(kind, "one"), Side(kind, "two")
    report = Gate(sides, rules(tree_seen=True), measure=measure, say=print).run()
    throttling = [check for check in report.checks if check.name.startswith("throttling")]
    assert [check.answer for check in throttling] == [answer, answer]
