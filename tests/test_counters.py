from pathlib import Path

import pytest

from trees import grow
from whisper_bench.cgroup import CpuGroup
from whisper_bench.counters import CpuCounters, counters_of, total_counters

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


def test_counters_that_are_not_there(tmp_path):
    assert counters_of(None) is None
    assert counters_of(CpuGroup(2, tmp_path)) is None
    grow(tmp_path, {"root/cpu.stat": "usage_usec 9\n", "bad/cpu.stat": "nr_periods x\n"})
    assert counters_of(CpuGroup(2, tmp_path / "root")) is None
    assert counters_of(CpuGroup(2, tmp_path / "bad")) is None


def test_differences_and_sums():
    early = CpuCounters(5, 1, 0.5, 2.0, 1.0, 0, 0.0)
    late = CpuCounters(12, 3, 0.75, 3.0, None, 1, 0.5)
    assert late.since(early) == CpuCounters(7, 2, 0.25, 1.0, None, 1, 0.5)
    assert total_counters([early, late]) == CpuCounters(17, 4, 1.25, 5.0, None, 1, 0.5)
    assert isinstance(total_counters([early, late]).periods, int)
    assert total_counters([early, None]) is None
    assert total_counters([]) is None


def test_counters_of_this_machine_are_read_without_error():
    for folder in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")):
        counters = counters_of(CpuGroup(1, folder))
        assert counters is None or counters.periods >= 0


def test_a_count_that_went_back_began_anew():
    start, end = CpuCounters(10, 2, 0.5), CpuCounters(12, 1, 0.1)
    assert start.since(start) == CpuCounters(0, 0, 0.0)
    assert end.since(start) is None
