"""Hold sizings of a mix of lengths to a replay of the rounds that were measured at those lengths.

    python audio/make_clips.py lengths 5 120
    pytest benchmarks --benchmark-save=lengths \
        --whisper-clip=audio/vi_5s.wav,audio/vi_30s.wav,audio/vi_120s.wav
    python benchmarks/mix_replay.py lengths TARGET_RPS LIMIT_S [STORAGE]

The mix is 60 % of 5 s, 30 % of 30 s and 10 % of 120 s, the objective p95 within LIMIT_S seconds,
the balancer least outstanding. Both sizings know the 30 s clip alone: one by its windows and
tokens, one by windows of 30 s. The replay draws each request's time from the rounds of a clip of
its very length. Prints the Pods of each, the p95 that it predicts, and the p95 of the replay.
"""

import sys
from pathlib import Path

import numpy as np

from whisper_bench.case.record import CaseRecord
from whisper_bench.saved.file import read_saved, records_of
from whisper_bench.saved.find import STORAGE, find_saved
from whisper_bench.sizing.candidates import service_work
from whisper_bench.sizing.decision import decide
from whisper_bench.sizing.demand import Demand, Load, Objective
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing, waits
from whisper_bench.text.table import table_lines

MIX = {5.0: 0.6, 30.0: 0.3, 120.0: 0.1}
STANDARD_S = 30.0
REQUESTS = 400_000


def replayed_p95_s(records: dict[float, CaseRecord], load: Load, pods: int) -> float:
    """Return p95 of requests whose times are rounds of a clip of their length."""
    arriving, choosing, drawing = np.random.default_rng(7).spawn(3)
    lengths_s = choosing.choice(list(MIX), REQUESTS, p=list(MIX.values()))
    services_s = np.empty(REQUESTS)
    for length_s in MIX:
        chosen = lengths_s == length_s
        rounds_s = [line.latency_s for line in records[length_s].rounds]
        services_s[chosen] = drawing.choice(rounds_s, int(chosen.sum()))
    waits_s = waits(
        np.cumsum(load.arrivals(REQUESTS, arriving)),
        services_s,
        pods=pods,
        concurrency=1,
        balancing=Balancing.LEAST_OUTSTANDING,
        random=np.random.default_rng(8),
    )
    return float(np.percentile((waits_s + services_s)[REQUESTS // 20 :], 95))


def main() -> None:
    """Size both ways, replay, print."""
    name, target_rps, limit_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    storage = Path(sys.argv[4]) if len(sys.argv) > 4 else STORAGE  # noqa: PLR2004
    path = find_saved(name, storage)
    records = {record.clip.duration_s: record for record in records_of(read_saved(path), str(path))}
    standard = records[STANDARD_S]
    samples_s = [line.latency_s for line in standard.rounds]
    services = {
        "windows and tokens": Service(samples_s, work=service_work(standard, None)),
        "windows of 30 s": Service(samples_s),
    }
    load = Load.of_audio(target_rps, MIX)
    demand = Demand(
        load, Objective(95, limit_s), Policy(balancing=Balancing.LEAST_OUTSTANDING, spare_pods=0)
    )
    print(*table_lines([_HEAD, *_rows(services, records, demand)]), sep="\n")


_HEAD = ("sized by", "mean service", "Pods", "p95 predicted", "p95 replayed", "a Pod less")


def _rows(
    services: dict[str, Service], records: dict[float, CaseRecord], demand: Demand
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, service in services.items():
        mean_s, decision = service.mean_s(demand.load), decide(service, demand)
        if decision.needed is None or decision.predicted is None:
            rows.append((name, f"{mean_s:.3f} s", "none", decision.reason, "", ""))
            continue
        pods = decision.needed
        replays = [replayed_p95_s(records, demand.load, number) for number in (pods, pods - 1)]
        rows.append(
            (
                name,
                f"{mean_s:.3f} s",
                str(pods),
                f"{decision.predicted.objective_s:.2f} s",
                *(f"{replay_s:.2f} s" for replay_s in replays),
            )
        )
    return rows


if __name__ == "__main__":
    main()
