"""A candidate against runs that the same machine saved before."""

import math
import statistics
from dataclasses import dataclass

import msgspec
import pytest
from scipy import stats

from support.documents import encoded, save
from support.gates import SIDES, process, rules
from support.samples import evidence, round_line
from whisper_bench.case.case import Case
from whisper_bench.cli import main
from whisper_bench.errors import BenchError
from whisper_bench.gate.absolute import AbsoluteGate, load_baseline, next_run_over
from whisper_bench.gate.report import Answer, Metric
from whisper_bench.gate.text import gate_lines
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.identity import Machine
from whisper_bench.measure.measurement import FinishedRounds
from whisper_bench.stats.welch import log_mean

HERE = Machine("x86_64", "A test's chip", "n1", "Linux", "6.1", "3.11.4")
HOURS = ("2026-11-24T10:30:00+00:00", "2026-11-25T10:30:00+00:00", "2026-11-26T10:30:00+00:00")
STEADY = (1.0, 1.01, 0.99)


def store(folder, means_s=STEADY, **settings):
    """Save a run of two processes of two rounds for each mean."""
    for number, (mean_s, moment) in enumerate(zip(means_s, HOURS, strict=False), start=1):
        content = encoded(evidence=evidence(*(4 * [mean_s])), moment=moment, **settings)
        save(folder, f"Linux/{number:04}_main.json", content)
    return folder


@dataclass
class Candidate:
    """Processes of a candidate, all alike."""

    run: object
    asked: int = 0

    def __call__(self, _side):
        self.asked += 1
        return self.run


def candidate(latency_s, *, cpu_s=None, machine=HERE, **settings):
    settings = {"counters": CpuCounters(50, 0, 0.0), **settings}
    return process(latency_s, cpu_s=cpu_s, machine=machine, **settings)


def judged(folder, measured, **changes):
    measure = Candidate(measured)
    baseline = load_baseline("main", folder)
    gate = AbsoluteGate(baseline, SIDES[1], rules(**changes), measure=measure, say=print)
    return gate.run(), measure


@pytest.fixture(autouse=True)
def enough_periods(monkeypatch):
    """Let the few periods of a played run be enough to judge throttling."""
    monkeypatch.setattr("whisper_bench.gate.checks.FEWEST_PERIODS", 10)
    monkeypatch.setattr("whisper_bench.throttling.verdict.FEWEST_PERIODS", 10)


def test_pass_and_fail(tmp_path):
    folder = store(tmp_path)
    passed, measure = judged(folder, candidate(1.02))
    assert passed.answer is Answer.PASS, passed.reason
    assert measure.asked == 2  # as many processes as a saved run has
    (case,) = passed.cases
    assert case.reason.startswith("not slower: +2.0 % (-2.9 % to +7.2 %) wall time against 3 saved")
    failed, _ = judged(folder, candidate(1.3))
    assert failed.answer is Answer.FAIL
    assert failed.reason.startswith("base-t1-vi_30s: slower: +30.0 %")
    assert "baseline   saved:main on A test's chip (x86_64, AVX2)" in gate_lines(failed)


def test_the_interval_is_that_of_a_run_to_come():
    before, now = (1.0, 1.05, 0.97, 1.02), (1.1, 1.12)
    estimate = next_run_over(log_mean(before), log_mean(now), 0.95)
    logs = [math.log(item) for item in before]
    half = stats.t.ppf(0.975, 3) * statistics.stdev(logs) * math.sqrt(1 + 1 / 4)
    middle = statistics.fmean(map(math.log, now)) - statistics.fmean(logs)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        [math.exp(middle + shift) for shift in (0, -half, half)], rel=1e-12
    )
    assert next_run_over(log_mean([1.0]), log_mean(now), 0.95) is None


def test_runs_that_spread_give_no_evidence(tmp_path):
    report, _ = judged(store(tmp_path, (1.0, 1.2, 0.9)), candidate(1.0))
    assert report.answer is Answer.NO_EVIDENCE
    assert "save more runs to narrow it" in report.reason


def test_one_saved_run_is_refused(tmp_path):
    with pytest.raises(BenchError, match=r"main: 1 run\(s\) saved, but two or more"):
        load_baseline("main", store(tmp_path, (1.0,)))


def test_runs_that_differ_are_refused_as_misuse(tmp_path):
    store(tmp_path)
    other = encoded(
        evidence=evidence(*(4 * [1.0])), moment=HOURS[2], case=Case("base", 2, "vi_30s")
    )
    save(tmp_path, "Linux/0004_main.json", other)
    with pytest.raises(BenchError, match="saved:main: .* are not comparable") as refused:
        load_baseline("main", tmp_path)
    assert refused.value.exit_status == 2


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Let the command measure a candidate that is played, under conditions that are noted."""
    asked = []

    def runner(conditions, *_, **__):
        asked.append(conditions)
        return Candidate(candidate(1.02))

    monkeypatch.chdir(store(tmp_path / ".benchmarks").parent)
    monkeypatch.setattr("whisper_bench.gate.process.Runner", runner)
    return asked


def test_the_command(played, capsys):
    assert main(["gate", "saved:main", "image:suite:new"]) == 0
    # as many rounds in a process as the saved runs have
    assert [item.rounds for item in played] == [2]
    out, err = capsys.readouterr()
    assert "PASS: base-t1-vi_30s: not slower: +2.0 %" in out
    assert "candidate  2/2  base-t1-vi_30s 1.020 s  at most 0:00 left" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["saved:main", "saved:main"], "only the baseline can be saved runs"),
        (["saved:", "image:suite:new"], "saved:: no save name; write saved:main"),
        (["saved:none", "image:suite:new"], "no saved run 'none'"),
        (["saved:main", "image:suite:new", "--rounds=1"], "--rounds 1: leave it out with saved"),
        (
            ["saved:main", "image:suite:new", "--max-pairs=8"],
            "--max-pairs 8: leave it out with saved",
        ),
    ],
)
def test_misuse(played, capsys, words, message):
    assert main(["gate", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_newest_run_is_what_the_candidate_is_held_to(tmp_path):
    folder = store(tmp_path)
    assert load_baseline("main", folder).newest.cases[0].record.rounds[0].latency_s == 0.99


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"node": "n2"}, "but this machine is n2, A test's chip"),
        ({"cpu_model": "Another"}, "but this machine is n1, Another"),
        ({"architecture": "ARM64"}, "A test's chip (ARM64, Linux)"),
        ({"system": "Darwin"}, "(x86_64, Darwin)"),
    ],
)
def test_another_machine_is_refused(tmp_path, changes, message):
    machine = msgspec.structs.replace(HERE, **changes)
    report, measure = judged(store(tmp_path), candidate(1.0, machine=machine))
    assert report.answer is Answer.FAIL
    assert measure.asked == 1
    assert "machine: the saved runs are of n1, A test's chip (x86_64, Linux)" in report.reason
    assert message in report.reason
    assert "WHISPER_BENCH_NODE" in report.reason


@pytest.mark.parametrize("changes", [{"kernel": "6.2"}, {"python": "3.12.1"}])
def test_what_is_installed_on_a_machine_may_change(tmp_path, changes):
    machine = msgspec.structs.replace(HERE, **changes)
    report, _ = judged(store(tmp_path), candidate(1.0, machine=machine))
    assert report.answer is Answer.PASS


def test_what_must_agree_must_agree_here_too(tmp_path):
    report, measure = judged(store(tmp_path), candidate(1.0, case=("base", 1, "other")))
    assert report.answer is Answer.FAIL
    assert measure.asked == 1
    assert "missing in the candidate: test_transcribe[base-t1-vi_30s]" in report.reason


def test_a_candidate_that_alone_is_contended_is_no_evidence(tmp_path):
    report, _ = judged(store(tmp_path), candidate(1.3, cpu_s=1.0))
    assert report.answer is Answer.NO_EVIDENCE
    assert "2 of 2 rounds contended, and 0 of 12 saved ones: the runner was busy" in report.reason


@pytest.fixture
def contended(tmp_path):
    """Runs of 1 CPU-second a round, that took more than half as long again."""
    for number, moment in enumerate(HOURS, start=1):
        lines = shortened(evidence(*(4 * [1.5 + number / 10])), 1.0)
        save(tmp_path, f"Linux/{number:04}_main.json", encoded(evidence=lines, moment=moment))
    return tmp_path


def test_a_candidate_that_waits_does_not_pass_by_its_cpu_seconds(contended):
    report, _ = judged(contended, candidate(4.0, cpu_s=1.02))
    assert (report.answer, report.cases[0].metric) == (Answer.NO_EVIDENCE, Metric.CPU)
    assert "the candidate waits, or other processes slow one side: +" in report.reason
    assert "but not slower: +2.0 %" in report.reason


def test_where_both_were_contended_cpu_seconds_decide(contended):
    report, _ = judged(contended, candidate(1.9, cpu_s=1.02))
    (case,) = report.cases
    assert case.metric is Metric.CPU
    assert report.answer is Answer.PASS
    assert case.baseline_s == pytest.approx(1.0)


def shortened(actual, cpu_s):
    """Give every round the same CPU-seconds, however long it took."""
    rounds = [round_line(item.process, item.latency_s, cpu_s) for item in actual.rounds]
    return FinishedRounds(actual.processes, rounds)
