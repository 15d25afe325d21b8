"""The saved run that this one is compared with in the end, and is held to before it begins."""

import platform
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from whisper_bench.machine import MachineFacts
from whisper_bench.measurement import Plan
from whisper_bench.ratio.calculate import RatioReport, calculate_ratio
from whisper_bench.ratio.comparable import (
    Value,
    check_allowable,
    decoding_fields,
    differing,
    fields_of,
    let_through,
    paired,
)
from whisper_bench.ratio.run import Run, RunFacts, load_run, run_of_records
from whisper_bench.record import CaseRecord

THIS_RUN = "this run"


class Reference:
    """The run of the other machine; found and read before anything is measured."""

    def __init__(self, name: str, storage: Path, allow_mismatch: Collection[str]) -> None:
        check_allowable(allow_mismatch)
        self._run: Run = load_run(name, storage)
        self._allow = allow_mismatch

    def check(self, plans: Iterable[Plan], cpu_limit: float | None) -> None:
        """Refuse a plan that could not be compared in the end.

        Raises:
            NotComparableError: it differs in what is known by now; both values are named.

        """
        planned = {plan.case: _planned(plan, cpu_limit) for plan in plans}
        pairs, found = paired(self._run.cases, list(planned))
        for here, there in pairs:
            known = planned[there]
            values = {field: fields_of(here.identity)[field] for field in known}
            found += differing(values, known, there.label)
        let_through(found, self._allow, self._run.facts.name, THIS_RUN)

    def ratio(
        self, records: Iterable[CaseRecord], machine: MachineFacts, save_name: str | None
    ) -> RatioReport:
        """Return the ratio of what was measured to the reference.

        Raises:
            NotComparableError: the runs differ in what must agree.

        """
        facts = RunFacts(
            name=save_name or THIS_RUN,
            where=THIS_RUN,
            moment=datetime.now(UTC).replace(microsecond=0),
            architecture=machine.architecture,
            cpu_model=machine.cpu_model,
            node=platform.node(),
            system=platform.system(),
            kernel=platform.release(),
            python=platform.python_version(),
        )
        run = run_of_records(records, facts)
        return calculate_ratio(self._run, run, allow_mismatch=self._allow)


def _planned(plan: Plan, cpu_limit: float | None) -> dict[str, Value]:
    return {
        "model_sha256": plan.weights.sha256,
        "clip_sha256": plan.clip.sha256,
        "compute_type": plan.compute_type,
        "threads": plan.case.threads,
        "cpu_limit": cpu_limit,
        **decoding_fields(plan.decoding),
    }
