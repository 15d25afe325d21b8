"""Several runs of one machine as one, so that an interval includes the difference between runs.

Another day, another node, a neighbour who came: none of it is in the processes of a single run.
With the runs' means as samples it is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import comparable_pairs, machine_mismatches
from whisper_bench.ratio.run import RUNS_APART, Run, RunCase, RunFacts, RunWork, Samples
from whisper_bench.stats.welch import LogMean, log_mean


def merge_runs(runs: Sequence[Run], *, allow_mismatch: Collection[str] = ()) -> Run:
    """Return runs of one machine as one run, whose samples are the runs.

    Its moment is that of the oldest, which tells its age.

    Raises:
        NotComparableError: two differ in what must agree.
        BenchError: there are fewer than two, they are of different machines or set-ups, or two
            hold the same rounds.

    """
    if len(runs) < 2:  # noqa: PLR2004 - of one nothing is known beyond it
        name = runs[0].facts.name if runs else "none"
        raise BenchError(
            f"{name}: {len(runs)} run(s) saved, but two or more per name are needed; measure "
            "again under the same name, at another time"
        )
    first, *others = [_named_by_file(run) for run in runs]
    for other in others:
        comparable_pairs(first, other, allow_mismatch)
        _check_machine(first, other)
    refuse_same(runs)
    by_label = [{case.label: case for case in run.cases} for run in runs]
    return Run(
        _facts(runs),
        [
            _case([cases[case.label] for cases in by_label])
            for case in first.cases
            if all(case.label in cases for cases in by_label)
        ],
    )


def _named_by_file(run: Run) -> Run:
    """Add the file to a run's name, since several runs share the name."""
    named = f"{run.facts.name} ({Path(run.facts.where).name})"
    return msgspec.structs.replace(run, facts=msgspec.structs.replace(run.facts, name=named))


def refuse_same(runs: Sequence[Run]) -> None:
    """Refuse rounds that are there twice: one run that was saved again is no second run.

    Raises:
        BenchError: two runs hold the same rounds; both files are named.

    """
    holders: dict[tuple[str, tuple[float, float, float]], Run] = {}
    for run in runs:
        for case in run.cases:
            for mark in case.first_rounds:
                other = holders.setdefault((case.label, mark), run)
                if other is not run:
                    fewer = min(other, run, key=_rounds)
                    raise BenchError(
                        f"{other.facts.where} and {run.facts.where} hold the same rounds of "
                        f"{case.label}: they are one run, copied or saved again by a resume; move "
                        f"{fewer.facts.where} out of the storage"
                    )


def _rounds(run: Run) -> int:
    return sum(case.rounds for case in run.cases)


def _check_machine(first: Run, other: Run) -> None:
    settings = [
        (mine.setting, theirs.setting)
        for mine in first.cases
        for theirs in other.cases
        if mine.label == theirs.label
    ]
    for mismatch in machine_mismatches(first.facts, other.facts, settings):
        raise BenchError(
            f"{first.facts.where} and {other.facts.where} are of different machines or set-ups: "
            f"{mismatch.field} {mismatch.reference!r} and {mismatch.target!r}; give each its own "
            "save name"
        )


def _facts(runs: Sequence[Run]) -> RunFacts:
    oldest: datetime = min(run.facts.moment for run in runs)
    return msgspec.structs.replace(
        runs[0].facts, where=RUNS_APART.join(run.facts.where for run in runs), moment=oldest
    )


def _case(cases: Sequence[RunCase]) -> RunCase:
    contended = [case.contended_rounds for case in cases if case.contended_rounds is not None]
    cpus = [case.cpu for case in cases if case.cpu is not None]
    return msgspec.structs.replace(
        cases[0],
        latency=_samples([case.latency for case in cases]),
        cpu=_samples(cpus) if len(cpus) == len(cases) else None,
        runs=len(cases),
        processes=sum(case.processes for case in cases),
        rounds=sum(case.rounds for case in cases),
        contended_rounds=sum(contended) if contended else None,
        peak_rss_bytes=max(case.peak_rss_bytes for case in cases),
        work=_work([case.work for case in cases if case.work is not None], len(cases)),
        warnings=list(dict.fromkeys(text for case in cases for text in case.warnings)),
        first_rounds=frozenset().union(*(case.first_rounds for case in cases)),
    )


def _work(parts: Sequence[RunWork], runs: int) -> RunWork | None:
    if len(parts) < runs:
        return None
    return RunWork(
        audio_s=parts[0].audio_s,
        windows=parts[0].windows,
        window=_samples([part.window for part in parts]),
        token=_samples([part.token for part in parts]),
        times=[times for part in parts for times in part.times],
    )


def _samples(parts: Sequence[Samples]) -> Samples:
    return Samples(
        log_mean([part.processes.value for part in parts]),
        _pooled([part.processes for part in parts]),
        _pooled([part.rounds for part in parts]),
    )


def _pooled(parts: Sequence[LogMean]) -> LogMean:
    """Return what is known of all samples together, whatever run they came from."""
    size = sum(part.size for part in parts)
    mean = sum(part.size * part.mean for part in parts) / size
    squares = sum(
        (part.size - 1) * part.variance + part.size * (part.mean - mean) ** 2 for part in parts
    )
    return LogMean(mean, squares / (size - 1) if size > 1 else 0.0, size)
