from pathlib import Path

import pytest

from support.trees import grow
from whisper_bench.machine.cgroup import CpuGroup
from whisper_bench.machine.counters import CpuCounters, counters_of, most_throttled, total_counters

V1 = "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\nnr_bursts 2\nburst_time 250000000\n"
V2 = (
    "usage_usec 9000000\nuser_usec 8000000\nsystem_usec 1000000\nnr_periods 10\nnr_throttled 4\n"
    "throttled_usec 1500000\nnr_bursts 2\nburst_usec 250000\n"
)
PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total=26596544\nfull avg10=0.00 total=5\n"


def test_version_1_counts_nanoseconds_and_version_2_microseconds(tmp_path):
    root = grow(
        tmp_path,
        {
            "one/cpu.stat": V1,
            "one/cpuacct.usage": "9000000000\n",
            "two/cpu.stat": V2,
            "two/cpu.pressure": PRESSURE,
            "proc/pressure/cpu": PRESSURE.replace("26596544", "40000000"),
        },
    )
    one, two = (
        counters_of(CpuGroup(version, root / name), root)
        for version, name in ((1, "one"), (2, "two"))
    )
    expected = CpuCounters(10, 4, 1.5, 9.0, 40.0, 2, 0.25)
    assert one.periods == two.periods == 10
    assert one.throttled_s == pytest.approx(1.5)
    assert one.pressure_s == pytest.approx(40.0)  # the system's: version 1 has none of its own
    assert two.pressure_s == pytest.approx(26.596544)
    for name in ("throttled_periods", "usage_s", "bursts", "burst_s"):
        assert getattr(one, name) == pytest.approx(getattr(expected, name))
        assert getattr(two, name) == pytest.approx(getattr(expected, name))


def test_old_kernels_count_less(tmp_path):
    root = grow(
        tmp_path, {"a/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 1000000000\n"}
    )
    assert counters_of(CpuGroup(1, root / "a"), root) == CpuCounters(10, 4, 1.0)


def test_missing_counters_are_none(tmp_path):
    assert counters_of(CpuGroup(2, tmp_path)) is None
    grow(tmp_path, {"root/cpu.stat": "usage_usec 9\n", "bad/cpu.stat": "nr_periods x\n"})
    assert counters_of(CpuGroup(2, tmp_path / "root")) is None
    assert counters_of(CpuGroup(2, tmp_path / "bad")) is None


NONE, QUIET, STOPPED = CpuCounters(0, 0, 0.0), CpuCounters(100, 0, 0.0), CpuCounters(100, 90, 4.0)


@pytest.mark.parametrize(
    ("ends", "most"),
    [
        ([], None),
        ([QUIET], QUIET),
        ([QUIET, STOPPED], STOPPED),
        ([STOPPED, QUIET], STOPPED),
        ([QUIET, CpuCounters(200, 0, 0.0)], QUIET),
        ([NONE, CpuCounters(100, 1, 0.1)], CpuCounters(100, 1, 0.1)),
        ([QUIET, None], None),
        ([QUIET, CpuCounters(1, 3, 0.0)], None),  # another group of the same name
    ],
)
def test_of_several_groups_the_most_throttled_is_counted(ends, most):
    assert most_throttled([NONE for _ in ends], ends) == most
    assert most_throttled([None for _ in ends], ends) is None


def test_differences_and_sums_of_counters():
    early = CpuCounters(5, 1, 0.5, 2.0, 1.0, 0, 0.0)
    late = CpuCounters(12, 3, 0.75, 3.0, None, 1, 0.5)
    assert late.since(early) == CpuCounters(7, 2, 0.25, 1.0, None, 1, 0.5)
    assert total_counters([early, late]) == CpuCounters(17, 4, 1.25, 5.0, None, 1, 0.5)
    assert isinstance(total_counters([early, late]).periods, int)
    assert total_counters([early, None]) is None
    assert total_counters([]) is None


def test_counts_that_went_down_are_none():
    """The group is then another of the same name, or its counters were reset."""
    before = CpuCounters(10, 5, 1.0, 3.0, 2.0, 1, 0.5)
    assert CpuCounters(9, 5, 1.0).since(before) is None
    assert CpuCounters(12, 4, 1.0).since(before) is None
    assert CpuCounters(12, 5, 0.9).since(before) is None
    assert CpuCounters(12, 9, 1.1).since(before) is None  # 4 of 2 periods
    # read between the kernel's two figures
    assert CpuCounters(12, 8, 1.1).since(before).throttled_periods == 2
    later = CpuCounters(12, 6, 1.5, 2.0, 1.0, 0, 0.0).since(before)
    assert later == CpuCounters(2, 1, 0.5, None, None, None, None)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a/cpu.pressure", ""),
        ("a/cpu.pressure", "some avg10=0.00"),
        ("a/cpu.pressure", b"\xff\xfe total=5"),
        ("a/cpuacct.usage", "\n"),
        ("a/cpuacct.usage", b"\xff"),
    ],
)
def test_a_broken_file_loses_only_its_own_figure(tmp_path, file, text):
    root = grow(tmp_path, {"a/cpu.stat": V1, file: text})
    counters = counters_of(CpuGroup(1, root / "a"), root)
    assert (counters.periods, counters.throttled_periods) == (10, 4)
    assert counters.pressure_s is counters.usage_s is None


def test_the_pressure_of_the_system_replaces_an_empty_one(tmp_path):
    root = grow(tmp_path, {"a/cpu.stat": V2, "a/cpu.pressure": "", "proc/pressure/cpu": PRESSURE})
    assert counters_of(CpuGroup(2, root / "a"), root).pressure_s == pytest.approx(26.596544)


def test_lines_of_cpu_stat_without_a_count_are_skipped(tmp_path):
    odd = "\nnr_periods\nextra 1 2\nnr_bursts -1\nlater.field x\n"
    root = grow(tmp_path, {"a/cpu.stat": V2.replace("nr_bursts 2\n", odd)})
    counters = counters_of(CpuGroup(2, root / "a"), root)
    assert (counters.periods, counters.throttled_periods, counters.bursts) == (10, 4, None)
    grow(tmp_path, {"b/cpu.stat": V2.replace("nr_periods 10", "nr_periods -10")})
    assert counters_of(CpuGroup(2, root / "b"), root) is None


def test_counters_of_this_machine_are_read_without_error():
    for folder in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")):
        counters = counters_of(CpuGroup(1, folder))
        assert counters is None or counters.periods >= 0


def test_an_optional_count_that_went_down_is_none():
    start, end = CpuCounters(10, 2, 0.5), CpuCounters(12, 1, 0.1)
    assert start.since(start) == CpuCounters(0, 0, 0.0)
    assert end.since(start) is None
