"""Several runs of one machine as one."""

import math
import statistics

import msgspec
import pytest
from scipy import stats

from support.ratios import M4, XEON, facts, m4, record, run, xeon
from support.samples import NO_LIMIT
from whisper_bench import calculate_ratio, merge_runs
from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import BusyThreads
from whisper_bench.ratio.calculate import headline_of
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.config import config_of, load_config, save_config
from whisper_bench.ratio.predict import predict, run_to_come_among_runs
from whisper_bench.ratio.text import prediction_lines, ratio_lines
from whisper_bench.stats.welch import log_mean
from whisper_bench.worker.busy import with_busy_threads

LATER = tuple(1.01 * item for item in M4)
LEVELS = 1.0, 1.1, 0.95


def runs(make, latencies_s, levels=LEVELS, **changes):
    return [
        make(
            record(*(level * item for item in latencies_s), **changes),
            where=f"{number}.json",
            moment=facts().moment.replace(day=number),
        )
        for number, level in enumerate(levels, 1)
    ]


def both():
    return merge_runs(runs(m4, M4)), merge_runs(runs(xeon, XEON, (1.05, 1.0, 0.9)))


def test_the_interval_is_scipys_welch_on_the_runs_means():
    (case,) = calculate_ratio(*both()).cases
    of_process = [
        [statistics.fmean(side[place : place + 2]) for place in (0, 2, 4)] for side in (M4, XEON)
    ]
    base = [statistics.fmean(map(math.log, side)) for side in of_process]
    logs = [
        [base[1] + math.log(level) for level in (1.05, 1.0, 0.9)],
        [base[0] + math.log(level) for level in LEVELS],
    ]
    theirs = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert case.low == pytest.approx(math.exp(theirs.low), rel=1e-9)
    assert case.high == pytest.approx(math.exp(theirs.high), rel=1e-9)
    assert (case.samples, case.reference.runs, case.reference.processes) == ("runs", 3, 9)


def behind(groups, got):
    """Return the limit of a container without a quota, on a machine that is quiet or is not."""
    busy = BusyThreads(1, 2 * got, 2.0)
    hidden = msgspec.structs.replace(NO_LIMIT, tree=groups, source=f"unknown: {groups}")
    return with_busy_threads(hidden, 1, lambda _threads: busy)


def test_runs_of_two_containers_without_a_quota_are_of_one_set_up():
    """Their names differ, and what busy threads got of the CPU does from run to run."""
    groups = "groups above (/docker/{} of the hierarchy) are hidden"
    limits = [behind(groups.format("a1"), 0.99), behind(groups.format("b2"), 0.7)]
    apart = [runs(m4, M4, LEVELS[number:], limit=limit)[0] for number, limit in enumerate(limits)]
    merged = merge_runs(apart)
    assert merged.cases[0].runs == 2


def test_runs_that_differ_widen_the_interval():
    single = calculate_ratio(m4(), xeon()).cases[0]
    many = calculate_ratio(*both()).cases[0]
    assert many.high / many.low > single.high / single.low


def test_merged_runs_are_as_old_as_the_oldest_and_name_every_file():
    merged = both()[0]
    assert merged.facts.moment.day == 1
    assert merged.facts.where == "1.json, 2.json, 3.json"
    assert merged.cases[0].rounds == 18


def test_processes_and_rounds_are_pooled():
    latency = both()[0].cases[0].latency
    rounds = [level * item for level in LEVELS for item in M4]
    assert latency.rounds.size == 18
    assert latency.rounds.mean == pytest.approx(log_mean(rounds).mean)
    assert latency.rounds.variance == pytest.approx(log_mean(rounds).variance)
    assert latency.processes.size == 9


def test_cases_of_a_run_share_its_level_in_the_headline():
    two = ("base", 2, "vi_30s")

    def sides(make, latencies_s):
        return merge_runs(
            [
                make(
                    record(*(level * item for item in latencies_s)),
                    record(*(level * item for item in latencies_s), case=two),
                    where=f"{level}.json",
                )
                for level in LEVELS
            ]
        )

    report = calculate_ratio(sides(m4, M4), sides(xeon, XEON))
    # two cases that rise and fall as one tell no more than one of them
    assert report.headline.low == pytest.approx(report.cases[0].low)
    assert report.headline.high == pytest.approx(report.cases[0].high)
    assert headline_of(report.cases) == report.headline


def test_a_kept_ratio_of_runs_is_read_and_predicts(tmp_path):
    report = calculate_ratio(*both())
    config = load_config(save_config(report, tmp_path))
    new = m4(record(*(1.2 * item for item in M4)), name="m4b")
    now = facts().moment.replace(day=28)
    (case,) = predict(new, config, now=now).cases
    assert case.samples == "runs"
    assert case.latency_s.value == pytest.approx(case.measured_s * case.ratio.value)
    # the new run's own processes do not matter: a run is a draw
    tight = m4(record(*(1.2,) * 6), name="m4b")
    (other,) = predict(tight, config, now=now).cases
    widths = [math.log(item.latency_s.high / item.latency_s.low) for item in (case, other)]
    assert widths[0] == pytest.approx(widths[1])
    assert "without the difference" not in "\n".join(
        prediction_lines(predict(new, config, now=now))
    )
    assert "without the difference between runs" in "\n".join(
        prediction_lines(predict(new, config_of(calculate_ratio(m4(), xeon()), now), now=now))
    )


def test_the_prediction_has_the_error_of_a_new_run_on_both_sides():
    reference, target = log_mean([1.0, 1.1, 0.95]), log_mean([2.5, 2.6, 2.2])
    actual = run_to_come_among_runs(log_mean([1.2]), reference, target)
    errors = [(1 + 1 / 3) * side.variance for side in (reference, target)]
    freedom = sum(errors) ** 2 / sum(error**2 / 2 for error in errors)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(errors))
    assert math.log(actual.high / actual.value) == pytest.approx(half, rel=1e-9)
    assert actual.value == pytest.approx(1.2 * target.value / reference.value)


def test_the_text_of_a_ratio_of_runs_counts_runs():
    lines = ratio_lines(calculate_ratio(*both()))
    assert "runs" in lines[3]
    assert "3 and 3" in lines[4]


def test_runs_are_not_merged_if_too_few_or_of_different_machines():
    with pytest.raises(BenchError, match=r"m4: 1 run\(s\) saved"):
        merge_runs([m4()])
    with pytest.raises(BenchError, match=r"none: 0 run\(s\) saved"):
        merge_runs([])
    with pytest.raises(BenchError, match="cpu_model 'Apple M4' and 'Apple M1'; .*name"):
        merge_runs([m4(), m4(cpu_model="Apple M1")])
    other = record(*M4)
    backend = msgspec.structs.replace(other.backend, instruction_set="GENERIC")
    with pytest.raises(BenchError, match="instruction_set 'AVX2' and 'GENERIC'"):
        merge_runs([m4(), m4(msgspec.structs.replace(other, backend=backend))])
    with pytest.raises(NotComparableError) as caught:
        merge_runs(
            [m4(where="a/1.json"), m4(record(*M4, compute_type="float32"), where="b/2.json")]
        )
    assert str(caught.value).startswith("m4 (1.json) and m4 (2.json) are not comparable:")


def test_a_case_that_some_runs_lack_is_left_out_if_allowed():
    two = ("base", 2, "vi_30s")
    made = [m4(record(*M4), record(*M4, case=two)), m4(record(*LATER))]
    with pytest.raises(NotComparableError, match="cases: base-t2-vi_30s against none"):
        merge_runs(made)
    merged = merge_runs(made, allow_mismatch=["cases"])
    assert [case.label for case in merged.cases] == ["base-t1-vi_30s"]


def test_unknown_contention_and_cpu_seconds_stay_unknown_when_merged():
    unknown, later = [
        msgspec.structs.replace(
            made,
            rounds=[
                msgspec.structs.replace(item, contended=None, cpu_s=0.0) for item in made.rounds
            ],
        )
        for made in (record(*M4), record(*LATER))
    ]
    merged = merge_runs([run(unknown), run(later)])
    assert merged.cases[0].contended_rounds is None
    assert merged.cases[0].cpu is None
    half = merge_runs([run(unknown), run(record(*M4))])
    assert half.cases[0].contended_rounds == 0
    assert half.cases[0].cpu is None


@pytest.mark.parametrize("kept", [6, 4, 3, 1])
def test_two_files_with_the_same_rounds_are_refused_and_both_named(kept):
    """The whole run copied, or what an interrupted run had of it when it was resumed."""
    part = m4(record(*M4[:kept]), where="a/0001_m4.json")
    whole = m4(record(*M4), where="a/0002_m4.json")
    other = m4(record(*LATER), where="a/0003_m4.json")
    with pytest.raises(BenchError, match="hold the same rounds of base-t1-vi_30s") as caught:
        merge_runs([other, part, whole])
    assert "a/0001_m4.json and a/0002_m4.json hold" in str(caught.value)
    assert "move a/0001_m4.json out of the storage" in str(caught.value)
    assert merge_runs([part, other]).cases[0].runs == 2


def test_one_run_has_no_means_of_runs():
    with pytest.raises(KeyError, match="runs"):
        m4().cases[0].latency.of("runs")
