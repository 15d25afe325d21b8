from support.samples import plan
from whisper_bench.case.case import Case
from whisper_bench.measure.measurement import FinishedRounds
from whisper_bench.measure.progress import Progress


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


class Running:
    """What Progress reads of a measurement."""

    def __init__(self, plan, finished):
        self.plan, self.finished = plan, finished

    @property
    def done(self):
        return len(self.finished.rounds)


def test_lines_of_two_cases():
    from support.samples import evidence, ready

    small = Case("small", 1, "vi_30s")
    plans = [plan(rounds=4, processes=2), plan(small, rounds=4, processes=2)]
    clock = Clock()
    progress = Progress(plans, clock)
    first = Running(plans[0], FinishedRounds([ready(1)], []))
    assert progress.line(first) == "base-t1-vi_30s  case 1/2  round 0/4  0:00 elapsed  process 1/2"
    clock.now_s += 10
    first.finished = evidence(5.0)
    # 3 rounds of 5 s are left here; there 4 and 2 warm-ups at 2.3 times the cost: 15 + 69 s
    assert progress.line(first) == (
        "base-t1-vi_30s  case 1/2  round 1/4  0:10 elapsed  ~1:24 left  process 1/2"
    )
    progress.end(plans[0].case)
    second = Running(plans[1], evidence(11.5, 11.5, 11.5, 11.5))
    assert progress.line(second).startswith("small-t1-vi_30s  case 2/2  round 4/4  0:10 elapsed")
    assert progress.line(second).endswith("~0:00 left  process 2/2")
