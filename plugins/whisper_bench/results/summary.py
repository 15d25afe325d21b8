"""The table that a run ends with: what was measured, in lines of text."""

from collections.abc import Iterable, Sequence

from whisper_bench.case.record import CaseRecord, contended_rounds
from whisper_bench.case.work import work_of
from whisper_bench.results.convert import warnings_of
from whisper_bench.results.copies import copies_lines
from whisper_bench.stats.quantile import percentile
from whisper_bench.text.table import table_lines

_HEAD = (
    *("case", "rounds", "mean", "p50", "p95", "CPU-s", "RTF", "peak MiB"),
    *("tokens", "s/window", "ms/token", "WER"),
)
_MIB = 2**20
_MS_PER_S = 1000


def summary_lines(records: Sequence[CaseRecord]) -> list[str]:
    """Return the table of cases and the warnings below it."""
    table = table_lines([_HEAD, *map(_row, records)])
    return [*table, *_warnings(records), *copies_lines(records)]


def case_line(record: CaseRecord) -> str:
    """Return what there is to say the moment a case has ended."""
    case, rounds, mean, *_ = _row(record)
    contended = contended_rounds(record)
    disturbed = f", {contended} of them contended" if contended else ""
    return f"{case}  {rounds} processes, mean {mean}{disturbed}".replace(" in ", " rounds in ")


def _row(record: CaseRecord) -> tuple[str, ...]:
    samples = [measured.latency_s for measured in record.rounds]
    mean_s = sum(samples) / len(samples)
    cpu_s = sum(measured.cpu_s for measured in record.rounds) / len(samples)
    rate, work = record.word_error_rate, work_of(record)
    return (
        record.label,
        f"{len(samples)} in {len(record.processes)}",
        f"{mean_s:.3f} s",
        f"{percentile(samples, 50):.3f} s",
        f"{percentile(samples, 95):.3f} s",
        f"{cpu_s:.3f}",
        f"{mean_s / record.clip.duration_s:.3f}",
        f"{max(process.peak_rss_bytes for process in record.processes) / _MIB:.0f}",
        f"{record.tokens}",
        f"{work.window.wall_s:.3f}" if work else "n/a",
        f"{_MS_PER_S * work.token.wall_s:.2f}" if work else "n/a",
        "no text" if rate is None else f"{rate:.3f}",
    )


def _warnings(records: Iterable[CaseRecord]) -> list[str]:
    """Say each warning once, with the cases it is true of."""
    cases: dict[str, list[str]] = {}
    for record in records:
        for warning in warnings_of(record):
            cases.setdefault(warning, []).append(record.case.short_label)
    return [f"! {warning} [{', '.join(dict.fromkeys(names))}]" for warning, names in cases.items()]
