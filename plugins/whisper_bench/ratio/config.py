"""ratio_config.json: a ratio that other commands may rely on while it is fresh and whole."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import parsed
from whisper_bench.files.json_output import checked_json
from whisper_bench.files.names import checked_name
from whisper_bench.files.replacement import write_over
from whisper_bench.files.whole import read_bounded
from whisper_bench.ratio.calculate import headline_of, worst
from whisper_bench.ratio.report import FEWEST, CaseRatio, CaseSide, RatioReport, SideWork, Validity
from whisper_bench.ratio.run import Moment, SampleKind
from whisper_bench.stats.interval import Estimate, is_same
from whisper_bench.stats.welch import LogMean, ratio_of

CONFIG_FILE = "ratio_config.json"
KIND: Literal["whisper-bench ratio"] = "whisper-bench ratio"
SCHEMA_VERSION: Literal[2] = 2
"""Version 1 had no work: its ratios are of the latencies as measured, and are read as such."""
MOST_DAYS = 90
"""Age of the older run from which a ratio is stale: kernels, libraries and node images change about
four times a year."""
_OF_MEANS = 0.02
"""How far the mean of sums may be from the sum of means: geometric means, of processes alike."""
_AGAIN = "make it again with whisper-bench ratio M4 XEON"


class RatioConfig(RatioReport, frozen=True, forbid_unknown_fields=True):
    """A ratio as it is kept, with the tool that made it and when (`created`, UTC).

    A ratio of 2.5 means that one CPU of the reference does the work of 2.5 of the target's.
    """

    kind: Literal["whisper-bench ratio"]
    schema_version: Literal[1, 2]
    tool_version: str
    created: Moment


_HEAD = set(RatioConfig.__struct_fields__) - set(RatioReport.__struct_fields__)


class StaleError(BenchError):
    """A ratio that is too old, or not of this machine and measurement: it must not be used."""

    exit_status = 1


def config_of(report: RatioReport, now: datetime | None = None) -> RatioConfig:
    """Return what is kept of a report.

    Raises:
        BenchError: a case is INVALID; a ratio that cannot be had is not kept either.

    """
    from importlib.metadata import version

    if report.invalid:
        cases = "; ".join(f"{case.label}: {case.reason}" for case in report.invalid)
        raise BenchError(f"no {CONFIG_FILE} is written, since a ratio is INVALID: {cases}")
    created = (now or datetime.now(UTC)).replace(microsecond=0)
    facts: dict[str, Any] = {name: getattr(report, name) for name in report.__struct_fields__}
    return RatioConfig(
        **facts,
        kind=KIND,
        schema_version=SCHEMA_VERSION,
        tool_version=version("pytest-whisper-bench"),
        created=created,
    )


def save_config(report: RatioReport, folder: Path) -> Path:
    """Write ratio_config.json in a folder, whole, in the place of an older one.

    Raises:
        BenchError: a case is INVALID, or the file cannot be written; an older one is as it was.

    """
    path = folder / CONFIG_FILE
    document = msgspec.to_builtins(config_of(report))
    # what the file is stands first in it
    head = {name: value for name, value in document.items() if name in _HEAD}
    return write_over(path, checked_json({**head, **document}, RatioConfig, str(path), _AGAIN))


def load_config(path: str | Path) -> RatioConfig:
    """Read a ratio_config.json and check that it is whole and unedited.

    Raises:
        BenchError: it cannot be read, is cut short, is another file, was made by another version,
            or its figures do not follow from one another.

    """
    try:
        content = read_bounded(Path(path))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; {_AGAIN}") from error
    config = parsed(content, RatioConfig, str(path), _AGAIN)
    for case in config.cases:
        checked_name(case.model, f"{path}: model", _AGAIN)
        checked_name(case.clip, f"{path}: clip", _AGAIN)
    for trouble in _edited(config):
        raise BenchError(f"{path}: {trouble}, the file was edited; {_AGAIN}")
    return config


def age_of(report: RatioReport, now: datetime | None = None) -> timedelta:
    """Return the age of the older of the two runs."""
    older = min(report.reference.moment, report.target.moment)
    return (now or datetime.now(UTC)) - older


def check_age(report: RatioReport, most_days: float, now: datetime | None = None) -> None:
    """Refuse a ratio whose older run is older than it may be, or comes from the future.

    Raises:
        StaleError: it names the age and the limit.

    """
    days = age_of(report, now) / timedelta(days=1)
    if days > most_days:
        raise StaleError(
            f"the ratio is too old: its older run is {days:.0f} days old, {most_days:g} are "
            "allowed; measure again, or raise --max-age-days"
        )
    newer = max(report.reference.moment, report.target.moment)
    if newer - (now or datetime.now(UTC)) > timedelta(days=1):
        raise StaleError(
            f"the ratio's runs are dated {report.reference.moment} and {report.target.moment}, in "
            "the future; correct this machine's clock"
        )


def _edited(report: RatioReport) -> list[str]:
    """Return what does not follow from the figures beside it."""
    if not report.cases:
        return ["it has no case"]
    troubles = [trouble for case in report.cases for trouble in _case_troubles(case)]
    headline, saved = headline_of(report.cases, report.cases[0].confidence), report.headline
    if report.validity is not worst([case.validity for case in report.cases]):
        troubles.append("its validity does not follow from the cases")
    if headline and not (saved and saved.agrees_with(headline)):
        troubles.append("the headline does not follow from the cases")
    return troubles


def _case_troubles(case: CaseRatio) -> Iterator[str]:
    estimate = ratio_of(case.target.compared, case.reference.compared, case.confidence)
    within = min(case.reference.processes, case.target.processes) < FEWEST
    if estimate is None or case.validity is Validity.INVALID:
        yield f"{case.label} is INVALID"
    elif case.validity is not (Validity.WITHIN_RUN if within else Validity.VALID):
        yield f"{case.label}'s validity does not follow from its processes"
    elif not (case.estimate and case.estimate.agrees_with(estimate)):
        yield f"{case.label}'s ratio does not follow from its two sides"
    yield from (f"{case.label}'s {part} does not follow from its sides" for part in _false(case))
    if case.reference.tokens != case.identity.tokens:
        yield f"{case.label}'s reference has tokens of another round"
    for name, side in (("reference", case.reference), ("target", case.target)):
        yield from (f"{case.label}'s {name} {text}" for text in _side_troubles(side, case.samples))
        if side.work and not _is_moved(side, side.work, case.identity.tokens):
            yield f"{case.label}'s {name} at equal work does not follow from it"


def _false(case: CaseRatio) -> Iterator[str]:
    """Yield which ratios beside the case's own do not follow from its two sides."""
    here, there = case.reference, case.target
    ratios: list[tuple[str, Estimate | None, LogMean, LogMean]] = []
    if case.plain or here.work:
        ratios.append(("plain ratio", case.plain, here.latency, there.latency))
    if here.work and there.work:
        ratios += [
            ("encoder ratio", case.encoder, here.work.window, there.work.window),
            ("decoder ratio", case.decoder, here.work.token, there.work.token),
        ]
    elif here.work or there.work or case.encoder or case.decoder:
        yield "work"
    for name, saved, reference, target in ratios:
        true = ratio_of(target, reference, case.confidence)
        if not (saved and true and saved.agrees_with(true)):
            yield name


def _is_moved(side: CaseSide, work: SideWork, tokens: int) -> bool:
    """Return whether a side's latency at equal work follows from the one as measured."""
    more = tokens - side.tokens
    if not more:
        return work.latency == side.latency
    # of means of processes, where it was made of each process
    moved_s = side.latency.value + more * work.token.value
    return math.isclose(work.latency.value, moved_s, rel_tol=_OF_MEANS)


def _side_troubles(side: CaseSide, samples: SampleKind) -> Iterator[str]:
    """Yield which figures of a side do not follow from one another."""
    sizes = {"runs": side.runs, "processes": side.processes, "rounds": side.rounds}
    if side.latency.size != sizes[samples]:
        yield f"has {sizes[samples]} {samples}, and {side.latency.size} in its latency"
    for name, value, mean in (
        ("latency_s", side.latency_s, side.latency),
        ("cpu_s", side.cpu_s, side.cpu),
    ):
        true = mean and mean.value
        if value != true and not (value and true and is_same(value, true)):
            yield f"has {name} {value}, but its samples give {true}"
    if not side.runs <= side.processes <= side.rounds:
        yield f"has {side.runs} runs of {side.processes} processes and {side.rounds} rounds"
    if (side.contended_rounds or 0) > side.rounds:
        yield f"has {side.contended_rounds} contended rounds of {side.rounds}"
