"""A Pod's size, and the refusal of what is not possible."""

import math

import pytest

from support.services import EXAMPLE, SMALL
from whisper_bench import calculate_sizing
from whisper_bench.errors import BenchError
from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.pod import pod_size
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service


def test_a_pod_asks_for_what_was_measured():
    pod = pod_size(
        threads=1, cpu_limit=1.0, peak_rss_bytes=343 * 2**20, busy_cpus=1.0, measured_on="xeon"
    )
    assert (pod.cpu, pod.memory_mib, pod.threads) == (1, 448, 1)
    assert pod.memory_mib >= 343 * 1.25
    two = pod_size(
        threads=2,
        cpu_limit=None,
        peak_rss_bytes=2**30,
        busy_cpus=1.4,
        measured_on="xeon",
        concurrency=2,
    )
    assert (two.cpu, two.memory_mib) == (4, 2560)
    half = pod_size(threads=1, cpu_limit=0.5, peak_rss_bytes=1, busy_cpus=0.5, measured_on="x")
    assert half.cpu == 1
    # a busy worker is half a CPU of the one that is asked for
    sized = calculate_sizing(2.0, service=EXAMPLE, policy=Policy(spare_pods=0), pod=half)
    assert sized.hpa_utilisation_percent == int(100 * sized.utilisation / 2)


@pytest.mark.parametrize(
    ("threads", "limit", "busy", "cpu"),
    [
        (1, 4.0, 1.0, 1),
        (2, 4.0, 1.9, 2),
        (4, 4.0, 3.5, 4),
        (8, 4.0, 4.0, 4),
        (1, 0.25, 0.25, 1),
        (2, 1.5, 1.5, 2),
        (4, 2.5, 2.5, 3),
        (3, None, 2.2, 3),
        # the threads are not all that is busy there
        (1, 4.0, 1.05, 1),
        (1, 4.0, 1.9, 2),
        (1, 1.0, 1.2, 1),
        (1, None, 3.5, 4),
    ],
)
def test_a_pod_gets_the_cpus_that_its_threads_can_use(threads, limit, busy, cpu):
    size = {"threads": threads, "cpu_limit": limit, "busy_cpus": busy}
    pod = pod_size(**size, peak_rss_bytes=1, measured_on="x")
    assert pod.cpu == cpu
    assert pod.measured_limit_cpus == limit
    assert pod_size(**size, peak_rss_bytes=1, measured_on="x", concurrency=3).cpu == 3 * cpu
    assert pod.below_measured_limit == (limit is not None and cpu < limit)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", -1), ("cpu_limit", -1.0), ("cpu_limit", math.nan), ("peak_rss_bytes", 0)],
)
def test_a_pods_size_refuses_figures_that_were_never_measured(name, value):
    size = {"threads": 1, "cpu_limit": 1.0, "peak_rss_bytes": 1, name: value}
    with pytest.raises(BenchError, match=f"{name} {value:g}: give a number above 0"):
        pod_size(**size, busy_cpus=1.0, measured_on="x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Load(0), "target rps 0: give requests per second, above 0"),
        (lambda: Load(math.nan), "target rps nan"),
        (lambda: Load(1, 0.5), "burstiness 0.5: give 1 (Poisson) or more"),
        (lambda: Load(1, 1, {}), "audio mix {}"),
        (lambda: Load(1, 1, {1: math.nan}), "audio mix {1: nan}"),
        (lambda: Load(1, 1, {1.5: 1.0}), "audio mix {1.5: 1.0}"),
        (lambda: Load(1, 1, {481: 1.0}), "lengths of 1 to 480 windows of 30 s"),
        (lambda: Load(1, 1, {1: 1.0}, 0.0), "audio of 0 s: give a length above 0"),
        (lambda: Load(1e300), "target rps 1e+300, burstiness 1: give at most 100000 and 100"),
        (lambda: Load(1, 1e3), "target rps 1, burstiness 1000: give at most 100000 and 100"),
        (lambda: Objective(150, 1), "objective of p150: give a percentile such as 95"),
        (lambda: Objective(math.nan, 1), "objective of pnan"),
        (lambda: Policy(spare_pods=1.5), "spare Pods 1.5: give whole numbers"),
        (lambda: Policy(concurrency=1000), "concurrency 1000 and spare Pods 1: give whole numbers"),
        (lambda: Policy(max_utilisation=1e-9), "utilisation 1e-09: give a share from 0.01"),
        (lambda: Question(SMALL, Load(1), Policy(), Objective(95, 9), -1), "seed -1: give a whole"),
        (
            lambda: calculate_sizing(4, 2.0, 1.0, objective=Objective(95, 0.1)),
            "an objective needs measured service times; pass service= too",
        ),
        (lambda: Load(1, 1, {0: 1.0}), "audio mix {0: 1.0}"),
        (lambda: Load(1, 1, {1: -1.0}), "audio mix {1: -1.0}"),
        (lambda: Objective(95, 0), "objective of 0 s: give a time above 0"),
        (lambda: Objective(95, 0, per_audio_s=True), "objective of 0: give a real-time factor"),
        (lambda: Policy(max_utilisation=1.0), "utilisation 1: give a share from 0.01 to below 1"),
        (lambda: Policy(concurrency=0), "concurrency 0 and spare Pods 1"),
        (lambda: Policy(spare_pods=-1), "concurrency 1 and spare Pods -1"),
        (lambda: Service([]), "service times must be positive numbers of seconds"),
        (lambda: Service([1.0, math.nan]), "service times must be positive numbers of seconds"),
        (lambda: Service([1.0], factor=0.0), "factor 0 and share of hard clips 0"),
        (lambda: Service([1.0], hard_share=2.0), "share of hard clips 2"),
        (lambda: Service([1.0], hard_factor=0.5), "hard clips take 0.5 times as long"),
        (lambda: calculate_sizing(1.0, 0.0, 1.0), "ratio 0: give a number above 0"),
        (
            lambda: calculate_sizing(1.0, 1.0),
            "m4_rps None: give the requests per second of one Pod",
        ),
        (lambda: calculate_sizing(1.0, 1.0, -1.0), "m4_rps -1.0: give the requests per second"),
    ],
)
def test_an_impossible_input_is_refused_with_its_value(make, message):
    with pytest.raises(BenchError) as caught:
        make()
    assert message in str(caught.value)
