import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_bench.case.contention import is_contended


@pytest.mark.parametrize(
    ("cpu_s", "wait_s", "threads", "limit", "contended"),
    [
        (4.6, 0.0, 1, None, False),  # a quiet machine
        (4.6, 0.0, 1, 1.0, False),
        (4.0, 0.6, 1, None, True),  # a busy neighbour took 13 %
        (4.0, None, 1, None, True),  # told by CPU/wall where there is no schedstat
        (6.44, 0.01, 2, None, False),  # CPU/wall 1.4 on two quiet CPUs: serial parts, no neighbour
        (6.44, 0.9, 2, None, True),
        (6.44, None, 2, None, None),
        (4.0, None, 2, None, True),  # less than one thread gets on a quiet CPU
        (3.1, 9.0, 4, 2.0, True),
        (7.6, 9.0, 4, 2.0, None),  # four threads on two CPUs wait for one another
        (4.6, 4.6, 2, 1.0, False),  # a quota of 1 CPU, used up
        (6.0, 3.0, 2, 1.5, None),  # throttling is waiting too
        (0.6, 2.0, 1, 0.25, True),  # a quarter of a CPU allowed, half of that had
        (1.15, 3.4, 1, 0.25, False),
    ],
)
def test_a_round_is_contended_if_it_got_less_cpu_than_it_could_use(
    cpu_s, wait_s, threads, limit, contended
):
    verdict = is_contended(
        wall_s=4.6, cpu_s=cpu_s, wait_s=wait_s, threads=threads, usable_cpus=limit
    )
    assert verdict is contended


@given(
    st.floats(0.1, 100), st.floats(0, 100), st.floats(0, 100), st.integers(1, 8), st.floats(0, 10)
)
def test_more_cpu_never_makes_a_round_contended(wall_s, cpu_s, more_s, threads, wait_s):
    def verdict(cpu):
        return is_contended(
            wall_s=wall_s, cpu_s=cpu, wait_s=wait_s, threads=threads, usable_cpus=None
        )

    if verdict(cpu_s) is False:
        assert verdict(cpu_s + more_s) is False
