"""Measure how long a full sizing takes, with its curves and its sensitivity table.

    python benchmarks/sizing_speed.py [PODS...]

Lognormal service times (mean 1.8 s, coefficient of variation 0.5; no measurement of a machine) at
loads that need about 50, 200, 1,000 and 5,000 Pods, for every balancing. Exits 1 if 200
Pods take more than 1 s, 5,000 more than 5 s, or the time grows faster than 1.5 times the load.
"""

import math
import sys
import time

import numpy as np

from whisper_bench.sizing.calculate import calculate_sizing
from whisper_bench.sizing.demand import Objective
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing

MEAN_S, CV, UTILISATION = 1.8, 0.5, 0.8
LIMITS_S = {200: 1.0, 5000: 5.0}
GROWTH = 1.5


def service() -> Service:
    """Return 500 service times."""
    sigma = math.sqrt(math.log(1 + CV**2))
    drawn = np.random.default_rng(5).lognormal(math.log(MEAN_S) - sigma**2 / 2, sigma, 500)
    return Service((drawn * MEAN_S / drawn.mean()).tolist())


def taken_s(pods: int, balancing: Balancing) -> float:
    """Return the seconds of a full sizing at the load of this many Pods at the ceiling."""
    rps = pods * UTILISATION / MEAN_S
    start_s = time.perf_counter()
    sizing = calculate_sizing(
        rps,
        service=service(),
        objective=Objective(95, 9.0),
        policy=Policy(balancing=balancing, max_utilisation=UTILISATION),
    )
    spent_s = time.perf_counter() - start_s
    print(
        f"{rps:>8.1f} rps  {balancing:<18} {sizing.replicas:>5} Pods  {spent_s:6.2f} s", flush=True
    )
    return spent_s


def main() -> int:
    """Size at growing loads, print, and say whether it was fast enough."""
    wanted = [int(word) for word in sys.argv[1:]] or [50, 200, 1000, 5000]
    fine = True
    for balancing in Balancing:
        spent = {pods: taken_s(pods, balancing) for pods in wanted}
        fine &= all(spent[pods] <= limit for pods, limit in LIMITS_S.items() if pods in spent)
        if {200, 5000} <= set(spent):
            fine &= spent[5000] / spent[200] <= GROWTH * 5000 / 200
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
