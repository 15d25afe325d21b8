"""Several copies at once against one alone: what a CPU is worth when its neighbours work."""

import statistics
from collections.abc import Iterable, Sequence

import msgspec

from whisper_bench.case.record import CaseRecord
from whisper_bench.ranges import Copies, Latency, Positive
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import ratio_interval
from whisper_bench.text.table import table_lines

GROWS = 1.05
"""Factor in requests a second below which more copies give no more: the noise of short runs."""
_HEAD = (
    *("case", "copies", "mean", "slowdown", "in CPU-seconds", "slowest copy"),
    "requests/s of all",
)


class Company(msgspec.Struct, frozen=True):
    """What so many copies at once took, in seconds; factors are over one copy of the same case.

    None where one copy was not measured, or with one process a side. `requests_s` is what all
    copies together do in a second, each at its own mean.
    """

    label: str
    copies: Copies
    latency_s: Latency
    slowest_s: Latency
    requests_s: Positive
    slowdown: Estimate | None
    cpu_slowdown: Estimate | None


def companies(records: Sequence[CaseRecord]) -> list[list[Company]]:
    """Return for each case that has several numbers of copies, or more than one, all of them."""
    groups: dict[tuple[str, int, str], list[CaseRecord]] = {}
    for record in records:
        groups.setdefault((record.model, record.threads, record.clip.name), []).append(record)
    return [
        [_company(record, group) for record in sorted(group, key=lambda record: record.copies)]
        for group in groups.values()
        if any(record.copies > 1 for record in group)
    ]


def copies_lines(records: Sequence[CaseRecord]) -> list[str]:
    """Return the table of copies and where more of them give no more; none without copies."""
    groups = companies(records)
    if not groups:
        return []
    rows = [_row(company) for group in groups for company in group]
    return ["", *table_lines([_HEAD, *rows]), *_remarks(groups)]


def _company(record: CaseRecord, group: Sequence[CaseRecord]) -> Company:
    lone = next((other for other in group if other.copies == 1), None)
    by_copy: dict[int, list[float]] = {}
    for measured in record.rounds:
        by_copy.setdefault(measured.copy, []).append(measured.latency_s)
    means_s = list(map(statistics.fmean, by_copy.values()))
    return Company(
        label=record.label,
        copies=record.copies,
        latency_s=statistics.fmean(means_s),
        slowest_s=max(means_s),
        requests_s=sum(1 / mean_s for mean_s in means_s),
        slowdown=_slowdown(record, lone, "mean_latency_s"),
        cpu_slowdown=_slowdown(record, lone, "mean_cpu_s"),
    )


def _slowdown(record: CaseRecord, lone: CaseRecord | None, figure: str) -> Estimate | None:
    if lone is None or lone is record:
        return None
    here, there = (
        [getattr(process, figure) for process in side.processes] for side in (record, lone)
    )
    if min(*here, *there) <= 0:  # a clock too coarse for the work
        return None
    return ratio_interval(here, there)


def _row(company: Company) -> tuple[str, ...]:
    alone = company.copies == 1
    return (
        company.label,
        f"{company.copies}",
        f"{company.latency_s:.3f} s",
        _factor(company.slowdown, alone=alone),
        _factor(company.cpu_slowdown, alone=alone),
        "" if alone else f"{company.slowest_s:.3f} s",
        f"{company.requests_s:.3f}",
    )


def _factor(slowdown: Estimate | None, *, alone: bool) -> str:
    if alone:
        return "1"
    return "n/a" if slowdown is None else str(slowdown)


def _remarks(groups: Iterable[list[Company]]) -> Iterable[str]:
    for group in groups:
        if group[0].copies > 1:
            yield (
                f"! {group[0].label}: no slowdown without one copy; measure it as well: "
                f"--whisper-copies=1,{','.join(str(company.copies) for company in group)}"
            )
        elif group[-1].slowdown is None:
            yield (
                f"! {group[-1].label}: no slowdown with an interval from one process; measure with "
                "--whisper-processes=5"
            )
        yield from _growth(group)


def _growth(group: Sequence[Company]) -> Iterable[str]:
    """Say from how many copies on more of them do no more."""
    best = max(company.requests_s for company in group)
    enough = next(company for company in group if company.requests_s * GROWS >= best)
    if enough is not group[-1]:
        yield (
            f"{enough.label}: more than {enough.copies} copies do no more: "
            f"{enough.requests_s:.3f} requests/s, and {group[-1].requests_s:.3f} of "
            f"{group[-1].copies}"
        )
