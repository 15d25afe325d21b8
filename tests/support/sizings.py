"""Sizing reports by hand: for what is told of them, never for a claim about a machine."""

import statistics

import msgspec

from support.ratios import M4, XEON, facts, m4, record, xeon
from support.samples import LIMIT
from whisper_bench import calculate_ratio
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.sizing.demand import Load, Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.pod import pod_size
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service, ServiceWork
from whisper_bench.sizing.sizing import CrossCheck, Sensitivity, Sizing
from whisper_bench.sizing.sizing_report import Basis, Candidate, SizingReport
from whisper_bench.stats.interval import Estimate
from whisper_bench.throttling.judge import Recommendation, ThrottlingReport
from whisper_bench.throttling.verdict import CaseVerdict, Verdict, with_findings

LATENCIES_S = [6.44 + 0.02 * (7 * place % 19) + 0.002 * place for place in range(20)]
MEAN_S = statistics.fmean(LATENCIES_S)
OBJECTIVE = Objective(95.0, 20.0)
LOAD = Load(0.5)
XEON_FACTS = facts("xeon", architecture="x86_64", cpu_model="A test's Xeon")


def predicted(pods, rps=0.5, mean_s=MEAN_S):
    """Return percentiles by a rule of thumb, with the shape of a queue's."""
    busy = rps * mean_s / pods
    if busy >= 1:
        return Predicted(pods, rps, busy, *[None] * 7, requests=0)
    wait_s = mean_s * busy / (1 - busy) / 2
    p95_s = mean_s + 1.7 * wait_s
    return Predicted(
        pods=pods,
        target_rps=rps,
        utilisation=busy,
        p50_s=mean_s + 0.4 * wait_s,
        p95_s=p95_s,
        p99_s=mean_s + 2.7 * wait_s,
        objective_s=p95_s,
        low_s=0.97 * p95_s,
        high_s=1.03 * p95_s,
        mean_wait_s=wait_s,
        requests=20_000,
    )


def verdict(threads, latency_s, throttled_periods, **changes):
    plain = CaseVerdict(
        model="base", clip="vi_30s", threads=threads, verdict=Verdict.OK, findings=[], evidence=[],
        latency_s=latency_s, latency_factor=None, cpu_s=latency_s, cpu_factor=None,
        cpu_limit=LIMIT, counters=CpuCounters(1320, throttled_periods, 0.05 * throttled_periods),
        throttled_share=throttled_periods / 1320, contended_rounds=0, rounds=20,
    )  # fmt: skip
    return with_findings(msgspec.structs.replace(plain, **changes))


VERDICTS = [verdict(1, MEAN_S, 5), verdict(2, 7.4, 1319), verdict(4, 8.9, 1320)]
THROTTLING = ThrottlingReport(
    VERDICTS,
    [Recommendation("base", "vi_30s", 1, "6.638 s a request, the fastest")],
    [],
    failed=True,
)
POD = pod_size(
    threads=1, cpu_limit=1.0, peak_rss_bytes=331 * 2**20,
    busy_cpus=1.0,
    measured_on="xeon, x86_64, A test's Xeon",
)  # fmt: skip

SIZING = Sizing(
    feasible=True,
    replicas=6,
    cpu=POD.cpu,
    memory_mib=POD.memory_mib,
    threads=POD.threads,
    needed=5,
    bound_by="utilisation",
    reason="the fewest Pods that keep p95 within 20 s (upper error bound 18.24 s) at 80% "
    "utilisation or less, and 1 spare",
    advice=[],
    load=LOAD,
    objective=OBJECTIVE,
    policy=Policy(),
    service=Service(LATENCIES_S),
    pod=POD,
    mean_service_s=MEAN_S,
    service_percentile_s=6.79,
    offered_load=0.5 * MEAN_S,
    utilisation=0.5 * MEAN_S / 6,
    hpa_utilisation_percent=55,
    whole=predicted(6),
    without_spares=predicted(5),
    cross_check=CrossCheck(0.5 * MEAN_S, 0.389, 1.534, 0.768, 0.792),
    by_pods=[predicted(pods) for pods in (4, 5, 6, 7, 8)],
    by_rps=[predicted(5, rps) for rps in (0.074, 0.2, 0.32, 0.44, 0.5, 0.56, 0.62, 0.68, 0.738)],
    sensitivity=[
        *(
            Sensitivity("target rps", rps, pods)
            for rps, pods in ((0.25, 4), (0.4, 5), (0.625, 7), (0.75, 9), (1.0, 11))
        ),
        *(
            Sensitivity("service time, times", factor, pods)
            for factor, pods in ((0.8, 5), (0.9, 6), (1.1, 6), (1.2, 7))
        ),
        *(
            Sensitivity("burstiness", burst, pods)
            for burst, pods in ((1.0, 6), (2.0, 8), (4.0, 12), (8.0, None))
        ),
    ],
    price_per_audio_hour=0.02731,
)
CANDIDATES = [
    Candidate("base-t1-vi_30s", 1, Verdict.OK, MEAN_S, 6, 1, 6, 448),
    Candidate("base-t2-vi_30s", 2, Verdict.QUOTA_THROTTLED, 7.4, None, 1, None, 448),
    Candidate("base-t4-vi_30s", 4, Verdict.QUOTA_THROTTLED, 8.9, None, 1, None, 512),
]
BASIS = Basis(
    run=XEON_FACTS,
    case="base-t1-vi_30s",
    latencies_s=LATENCIES_S,
    clip_duration_s=30.0,
    extrapolated=False,
    factor=1.0,
    target=None,
    ratio=None,
    ratio_created=None,
)


def report(sizing=SIZING, basis=BASIS, **changes):
    made = SizingReport(
        sizing=sizing,
        basis=basis,
        candidates=CANDIDATES,
        throttling=THROTTLING,
        warnings=[],
        tool_version="0.1.0",
        created="2026-11-24T12:00:00Z",
    )
    return msgspec.structs.replace(made, **changes)


def changed(sizing=SIZING, **changes):
    return msgspec.structs.replace(sizing, **changes)


def extrapolated(**changes):
    """Return a report of an M4's run, brought to the Xeon by a ratio."""
    ratio = calculate_ratio(m4(record(*M4)), xeon(record(*XEON))).cases[0]
    cpu = Estimate(2.44, 2.41, 2.47, 0.95)
    ratio = msgspec.structs.replace(ratio, **{"cpu": cpu, **changes})
    basis = msgspec.structs.replace(
        BASIS,
        run=facts("m4"),
        latencies_s=[item / 2.612 for item in LATENCIES_S],
        extrapolated=True,
        factor=ratio.high or 1.0,
        target=XEON_FACTS,
        ratio=ratio,
        ratio_created="2026-11-24",
    )
    warnings = ["m4: the reference's run is 61 days older than this one", "tokens: 210 and 214"]
    return report(basis=basis, warnings=warnings)


def infeasible():
    """Return a report of a service that is slower than its objective."""
    sizing = changed(
        feasible=False, replicas=None, needed=None, bound_by=None, utilisation=None,
        hpa_utilisation_percent=None, whole=None, without_spares=None, cross_check=None,
        by_pods=[], by_rps=[], sensitivity=[], price_per_audio_hour=None,
        objective=Objective(95.0, 5.0),
        reason="infeasible: p95 of the service time alone is 6.79 s, above the objective of 5 s, so "
        "that no number of Pods helps",
        advice=["a service 1.36 times faster: " + 10 * "or so, ", "an objective above 6.79 s"],
    )  # fmt: skip
    candidates = [
        msgspec.structs.replace(item, replicas=None, cpus_in_all=None) for item in CANDIDATES
    ]
    return report(sizing, candidates=candidates)


def unstable():
    """Return a report with points at which the Pods cannot keep up, mixed audio, and no spare."""
    policy = Policy(concurrency=2, spare_pods=0, max_utilisation=0.9)
    pod = pod_size(
        threads=2,
        cpu_limit=None,
        peak_rss_bytes=331 * 2**20,
        busy_cpus=1.4,
        measured_on="xeon",
        concurrency=2,
    )
    sizing = changed(
        load=Load(0.5, burstiness=4.0, windows={1: 0.7, 3: 0.3}),
        service=Service(LATENCIES_S, hard_share=0.015),
        objective=Objective(99.0, 20.0),
        policy=policy,
        pod=pod,
        needed=6,
        bound_by="objective",
        hpa_utilisation_percent=38,
        by_pods=[predicted(pods) for pods in (2, 3, 4, 5)],
        by_rps=[predicted(6, rps) for rps in (0.3, 0.6, 0.95)],
        without_spares=predicted(6),
        cross_check=CrossCheck(3.3, 1.0, None, None, None),
        price_per_audio_hour=None,
    )
    return report(sizing, warnings=["base-t1-vi_30s: 3 of 20 rounds were contended"])


def by_rates():
    """Return a report of rates alone: no objective, no service times, no size of a Pod."""
    sizing = changed(
        infeasible().sizing, feasible=True, replicas=5, needed=5, bound_by="rate", objective=None,
        cpu=None, memory_mib=None, threads=None, pod=None, service=None, advice=[],
        policy=Policy(spare_pods=0), utilisation=0.66, hpa_utilisation_percent=66,
        service_percentile_s=None,
        reason="3.32 Pods' worth of work at 80% utilisation; no latency objective was given",
    )  # fmt: skip
    nothing = ThrottlingReport([], [], [], failed=True)
    basis = msgspec.structs.replace(BASIS, latencies_s=[6.6])
    return report(sizing, basis, candidates=[], throttling=nothing)


def real_time():
    """Return a report of a mix of lengths, its objective a real-time factor, work known."""
    work = ServiceWork([1.9, 2.0], [0.022, 0.024], tokens_a_second=6.6)
    sizing = changed(
        load=Load.of_audio(0.5, {5.0: 0.6, 30.0: 0.3, 120.0: 0.1}, tokens_spread=2.0),
        service=Service(LATENCIES_S, hard_share=0.01, work=work),
        objective=Objective(95.0, 0.8, per_audio_s=True),
        service_percentile_s=0.59,
        whole=_over_audio(predicted(6)),
        without_spares=_over_audio(predicted(5)),
        by_pods=[_over_audio(predicted(pods)) for pods in (3, 4, 5, 6, 7, 8)],
        by_rps=[_over_audio(predicted(5, rps)) for rps in (0.2, 0.5, 0.6, 0.738)],
        reason="the fewest Pods that keep p95 RTF within 0.8 (upper error bound 0.61) at 80% "
        "utilisation or less, and 1 spare",
    )
    return report(sizing)


def _over_audio(point):
    """Return a point whose objective is a real-time factor, of 30 s of audio."""
    limited = ("objective_s", "low_s", "high_s")
    values = {name: getattr(point, name) for name in limited}
    return msgspec.structs.replace(
        point, **{name: value and value / 30 for name, value in values.items()}
    )
