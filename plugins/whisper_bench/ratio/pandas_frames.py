"""Tables for notebooks, as pandas frames; pandas is imported here and nowhere else."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pandas as pd

from whisper_bench.case.case import Case, Round, Split
from whisper_bench.ratio.matrix import RatioMatrix, headline_rows, run_labels
from whisper_bench.ratio.report import RatioReport
from whisper_bench.saved.file import read_saved, records_of
from whisper_bench.saved.find import STORAGE, find_saved, save_name

_CASE = list(Case.__struct_fields__)
_PARTS = ("cpu", "plain", "encoder", "decoder")
_SPLIT = Split.__struct_fields__


def ratio_frame(report: RatioReport) -> pd.DataFrame:
    """Return one row per case, indexed by model, threads and clip; latencies in seconds.

    Columns: reference_s, target_s, ratio, low, high, validity, cpu_ratio, plain_ratio (as
    measured, not at equal work), encoder_ratio, decoder_ratio, reference_tokens, target_tokens,
    reference_processes, target_processes.
    """
    rows = [
        {
            **case.cell,
            "reference_s": case.reference.latency_s,
            "target_s": case.target.latency_s,
            "ratio": case.ratio,
            "low": case.low,
            "high": case.high,
            "validity": str(case.validity),
            "cpu_ratio": case.cpu and case.cpu.value,
            "plain_ratio": case.plain and case.plain.value,
            "encoder_ratio": case.encoder and case.encoder.value,
            "decoder_ratio": case.decoder and case.decoder.value,
            "reference_tokens": case.reference.tokens,
            "target_tokens": case.target.tokens,
            "reference_processes": case.reference.processes,
            "target_processes": case.target.processes,
        }
        for case in report.cases
    ]
    figures = ["ratio", "low", "high", *(f"{part}_ratio" for part in _PARTS)]
    return pd.DataFrame(rows).set_index(_CASE).astype(dict.fromkeys(figures, float))


def matrix_frame(matrix: RatioMatrix) -> pd.DataFrame:
    """Return the headline ratios, rows are targets, columns references; NaN if there is none.

    The cell under `m4` in the row `xeon` is the Xeon's latency over the M4's.
    """
    labels = run_labels(matrix.runs)
    frame = pd.DataFrame(headline_rows(matrix), index=labels, columns=labels, dtype=float)
    return frame.rename_axis(index="target", columns="reference")


def samples_frame(name: str | Path, storage: Path = STORAGE) -> pd.DataFrame:
    """Return the raw samples of a saved run, one row per round; times in seconds.

    Columns: run, architecture, cpu_model, model, threads, clip, copies, and those of
    `whisper_bench.case.case.Round` (process, latency_s, wall_s, cpu_s, wait_s, contended, tokens,
    copy, start_s) and `Split` (windows, encode_s, decode_s, encode_cpu_s, decode_cpu_s; None where
    unknown).

    Raises:
        BenchError: there is no such run, or it is broken, foreign or of another version.

    """
    path = find_saved(str(name), storage)
    saved = read_saved(path)
    ours = saved.machine_info.whisper_bench
    machine: Mapping[str, object] = {
        "run": save_name(path),
        "architecture": ours and ours.architecture,
        "cpu_model": ours and ours.cpu_model,
    }
    rows = []
    for record in records_of(saved, str(path)):
        cell = record.case.cell
        rows += [{**machine, **cell, **_round_row(measured)} for measured in record.rounds]
    return pd.DataFrame(rows)


def _round_row(measured: Round) -> dict[str, object]:
    row = msgspec.structs.asdict(measured)
    split = row.pop("split")
    return {**row, **{name: getattr(split, name, None) for name in _SPLIT}}
