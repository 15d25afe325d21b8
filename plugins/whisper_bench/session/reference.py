"""The saved run that this one is compared with: its settings before, its latency at the end."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import Machine
from whisper_bench.measure.measurement import Plan
from whisper_bench.ratio.calculate import calculate_ratio
from whisper_bench.ratio.comparable import (
    NotComparableError,
    check_allowable,
    differing,
    let_through,
    paired,
)
from whisper_bench.ratio.config import save_config
from whisper_bench.ratio.fields import Value, decoding_fields, fields_of, weights_fields
from whisper_bench.ratio.load import load_run, run_of_records
from whisper_bench.ratio.report import RatioReport
from whisper_bench.ratio.run import Run, RunFacts
from whisper_bench.saved.find import STORAGE
from whisper_bench.session.collect import benchmark_session
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.storage import short

if TYPE_CHECKING:
    from whisper_bench.session.bench import Bench

THIS_RUN = "this run"
OPTION = "--whisper-allow-mismatch"
FEWEST_ROUNDS = 2
"""Rounds below which there is no interval, and so no ratio."""


class Reference:
    """The run of the other machine; found and read before anything is measured."""

    def __init__(self, name: str, storage: Path, allow_mismatch: Collection[str]) -> None:
        self._run: Run = load_run(name, storage)
        self._allow = allow_mismatch

    def check(self, plans: Iterable[Plan], cpu_limit: Value) -> None:
        """Refuse a plan that could not be compared in the end.

        Raises:
            BenchError: it differs in what is known by now; both values are named.

        """
        planned = {plan.case: _planned(plan, cpu_limit) for plan in plans}
        pairs, differences = paired(self._run.cases, list(planned))
        for here, there in pairs:
            known = planned[there]
            fields = fields_of(here.identity)
            values = {name: value for name, value in fields.items() if name in known}
            differences += differing(values, known, there.label)
        with _in_pytests_words():
            let_through(differences, self._allow, self._run.facts.name, THIS_RUN)

    def ratio(
        self,
        records: Iterable[CaseRecord],
        machine: Machine,
        save_name: str | None,
        where: str,
    ) -> RatioReport:
        """Return the ratio of what was measured to the reference.

        Raises:
            BenchError: the runs differ in what must agree.

        """
        facts = RunFacts(
            **msgspec.structs.asdict(machine),
            name=save_name or THIS_RUN,
            where=where,
            moment=datetime.now(UTC).replace(microsecond=0),
        )
        with _in_pytests_words():
            return calculate_ratio(
                self._run, run_of_records(records, facts), allow_mismatch=self._allow
            )


@contextmanager
def _in_pytests_words() -> Iterator[None]:
    """Name the plugin's option where the command line's would be."""
    try:
        yield
    except NotComparableError as error:
        option = f"{OPTION}={','.join(error.fields)}"
        raise BenchError(*error.message(option)) from error


def _planned(plan: Plan, cpu_limit: Value) -> dict[str, Value]:
    return {
        "model_sha256": plan.weights.sha256,
        "clip_sha256": plan.clip.sha256,
        "compute_type": plan.compute_type,
        "threads": plan.case.threads,
        "copies": plan.case.copies,
        "cpu_limit": cpu_limit,
        **decoding_fields(plan.decoding),
        **weights_fields(plan.weights.files),
    }


def reference_of(config: pytest.Config, ours: BenchConfig) -> Reference | None:
    """Return the run to compare with, read; None where none was asked for.

    Raises:
        BenchError: it cannot be had, or a ratio could not be.

    """
    if ours.reference is None and not ours.allow_mismatch:
        return None
    check_allowable(ours.allow_mismatch, OPTION)
    if ours.reference is None:
        return None
    if ours.rounds < FEWEST_ROUNDS:
        raise BenchError(
            f"--whisper-reference={ours.reference}: {ours.rounds} round is too few for an "
            "interval; give --whisper-rounds=2 or more, or better leave it out"
        )
    storage = Path(getattr(benchmark_session(config).storage, "path", STORAGE))
    return Reference(ours.reference, Path(short(storage, config)), ours.allow_mismatch)


def compare(config: pytest.Config, bench: "Bench", reference: Reference) -> str | None:
    """Make the ratio against the reference and keep it; return what is wrong with it."""
    try:
        bench.ratio = reference.ratio(
            list(bench.records.values()),
            bench.machine,
            bench.config.save_name,
            short(bench.saved_run, config) if bench.saved_run else "this run, not saved",
        )
        bench.written.append(save_config(bench.ratio, bench.config.results))
    except BenchError as error:
        return str(error)
    return None
