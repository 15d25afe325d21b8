"""What a long run prints while it runs: case, round, elapsed, estimated time left."""

import time
from collections.abc import Callable, Sequence

from whisper_bench.case.case import Case
from whisper_bench.measure.measurement import Measurement, Plan
from whisper_bench.text.amounts import clock_time
from whisper_bench.weights.pins import RELATIVE_COST, real_size

LINE_EVERY_S = 30.0
"""Between two lines of a log that nobody watches."""


class Progress:
    """Follows the run's cases; `line` is what there is to say after each round."""

    def __init__(self, plans: Sequence[Plan], clock: Callable[[], float] = time.monotonic) -> None:
        self._plans = list(plans)
        self._clock = clock
        self._start_s = clock()
        self._ended: set[Case] = set()
        self._s_per_cost: float | None = None

    def line(self, measurement: Measurement) -> str:
        """Describe where the run is; call it between rounds, never within one."""
        plan, finished = measurement.plan, measurement.finished
        done = measurement.done
        parts = [f"{plan.case.label}  case {self._number(plan)}/{len(self._plans)}"]
        parts.append(f"round {done}/{plan.rounds}")
        parts.append(f"{clock_time(self._clock() - self._start_s)} elapsed")
        if done:
            self._s_per_cost = finished.rounds[-1].latency_s / _cost(plan)
        if self._s_per_cost is not None:
            parts.append(f"~{clock_time(self._left_s(plan, done))} left")
        # what a narrow terminal cuts off comes last
        parts.append(f"process {finished.processes[-1].process}/{min(plan.processes, plan.rounds)}")
        return "  ".join(parts)

    def end(self, case: Case) -> None:
        """Count a case as ended, whichever way."""
        self._ended.add(case)

    def _number(self, plan: Plan) -> int:
        return 1 + next(number for number, known in enumerate(self._plans) if known == plan)

    def _left_s(self, current: Plan, done: int) -> float:
        assert self._s_per_cost is not None
        rounds = (
            _cost(plan) * (plan.rounds + plan.processes * plan.warmup_rounds)
            for plan in self._plans
            if plan != current and plan.case not in self._ended
        )
        return self._s_per_cost * (sum(rounds) + _cost(current) * (current.rounds - done))


def _cost(plan: Plan) -> float:
    return RELATIVE_COST[real_size(plan.case.model)] * plan.clip.windows
