"""--whisper-cpu-limit and --whisper-placement: each worker under a limit of its own."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from whisper_bench.case.case import Placement
from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit, cpu_limit_in_force, shares_of
from whisper_bench.machine.quota import QuotaGroup, held_cpus, is_held
from whisper_bench.text.plain import readable

PINNED = "pinned"


def held_limit(cpus: float) -> float:
    """Return the quota that the kernel holds for what `--whisper-cpu-limit` asks for.

    Raises:
        BenchError: it is smaller than the kernel takes.

    """
    try:
        return held_cpus(cpus)
    except BenchError as error:
        raise BenchError(f"--whisper-cpu-limit={cpus:g}: {error}") from error


def most_copies(cpus: float | None) -> int:
    """Return how many workers have a CPU each, or as many CPUs as their limit."""
    usable = cpu_limit_in_force().usable_cpus or 1
    return max(1, shares_of(usable, _cpus_of_a_copy(cpus)))


class Limits:
    """What puts each worker under its limit, for up to `copies` workers at once.

    With a limit demanded that is not in force each has a control group with that quota; pinned,
    each has a CPU of its own.

    Raises:
        BenchError: there are fewer CPUs than the copies need, or a limit cannot be put in force.

    """

    def __init__(
        self, demanded: float | None, in_force: CpuLimit, copies: int, placement: Placement
    ) -> None:
        self._demanded, self._copies = demanded, copies
        self._cpus: list[int] = []
        self._quotas: list[QuotaGroup] = []
        _refuse_too_many(copies, demanded, in_force)
        if placement == PINNED:
            self._cpus = _own_cpus(copies, demanded)
        elif _is_to_be_set(demanded, in_force, copies):
            assert demanded is not None
            with ExitStack() as made:
                for _ in range(copies):
                    self._quotas.append(_quota(demanded, in_force))
                    made.callback(self._quotas[-1].close)
                made.pop_all()

    @property
    def line(self) -> str | None:
        """Say under what the workers run; None where nothing was put in force."""
        if self._cpus:
            return f"each worker is pinned to a CPU of its own: {', '.join(map(str, self._cpus))}"
        if not self._quotas:
            return None
        folder = readable(str(self._quotas[0].group.folder))
        if self._copies == 1:
            return (
                f"the workers run under a quota of {self._demanded:g} CPU, in the control group "
                f"{folder}"
            )
        return (
            f"each of up to {self._copies} workers at once runs under a quota of its own of "
            f"{self._demanded:g} CPU, in control groups such as {folder}"
        )

    def joins(self, copies: int) -> Sequence[Callable[[int], None] | None]:
        """Return for each copy what puts its process under the limit; None if nothing has to."""
        return list(self._joins())[:copies] or [None] * copies

    def _joins(self) -> Iterator[Callable[[int], None]]:
        for cpu in self._cpus:
            yield partial(_pin, cpu)
        for quota in self._quotas:
            yield quota.add

    def close(self) -> None:
        """Take the limits away."""
        for quota in self._quotas:
            quota.close()


def _refuse_too_many(copies: int, demanded: float | None, in_force: CpuLimit) -> None:
    usable, each = in_force.usable_cpus, _cpus_of_a_copy(demanded)
    if copies > 1 and usable is not None and copies > shares_of(usable, each):
        raise BenchError(
            f"--whisper-copies={copies}: they need {copies * each:g} CPUs, and {usable:g} can be "
            f"used here ({in_force}); give {max(1, shares_of(usable, each))} or fewer, or all"
        )


def _pin(cpu: int, pid: int) -> None:
    os.sched_setaffinity(pid, {cpu})


def _cpus_of_a_copy(demanded: float | None) -> float:
    """Return the CPUs that a worker is given; a whole one where it has no limit."""
    return 1.0 if demanded is None else demanded


def _is_to_be_set(demanded: float | None, in_force: CpuLimit, copies: int) -> bool:
    """Tell whether the workers need groups: one limit in force for all is none for each."""
    if demanded is None:
        return False
    return copies > 1 or not is_held(demanded, in_force.cpus)


def _own_cpus(copies: int, demanded: float | None) -> list[int]:
    """Return the CPU of each worker: those of lower numbers first."""
    if demanded is not None and demanded != 1:
        raise BenchError(
            f"--whisper-placement=pinned: a worker has one CPU of its own, and "
            f"--whisper-cpu-limit={demanded:g} is not that; give 1, or leave one of the two out"
        )
    if not hasattr(os, "sched_setaffinity"):
        raise BenchError(
            "--whisper-placement=pinned: this system cannot pin a process to a CPU; leave it out, "
            "or measure on Linux"
        )
    return sorted(os.sched_getaffinity(0))[:copies]


def _quota(cpus: float, in_force: CpuLimit) -> QuotaGroup:
    """Make a control group with a demanded limit.

    Raises:
        BenchError: it cannot be; the message says what is in force, and what helps.

    """
    usable = in_force.usable_cpus
    if usable is not None and usable < cpus:
        raise BenchError(
            f"--whisper-cpu-limit={cpus:g}: the CPU limit in force is {in_force}, and only "
            f"{usable:g} CPU(s) can be used; run where there are more: docker run --rm "
            f"--cpus={cpus:g} IMAGE"
        )
    try:
        return QuotaGroup(cpus)
    except BenchError as error:
        raise BenchError(
            f"--whisper-cpu-limit={cpus:g}: the CPU limit in force is {in_force}, and {error}"
        ) from error
