"""Result files of schema version 1, whose `detail` held the record's fields among its own."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from msgspec import defstruct
from msgspec.structs import FieldInfo, asdict, fields

from whisper_bench.case.record import (
    RECORD_VERSION,
    CaseRecord,
    contended_rounds,
    counters_of,
)
from whisper_bench.files.json_input import parsed
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.ranges import Count
from whisper_bench.results.convert import check_result, refuse_edited
from whisper_bench.results.schema import SCHEMA_VERSION, Detail, Result

_PYTHON = "python"
"""Among the versions then, and beside the node now."""
_NOT_KNOWN = "n/a"


def _fields(form: type, *without: str) -> Iterator[tuple[Any, ...]]:
    """Yield the fields of a struct of today as `defstruct` takes them."""
    for field in fields(form):
        if field.name not in without:
            yield field.name, field.type, *_default(field)


def _default(field: FieldInfo) -> Iterable[Any]:
    return () if field.required else (field.default,)


_RULES: dict[str, Any] = {"frozen": True, "forbid_unknown_fields": True, "kw_only": True}
_RECORD = [*_fields(CaseRecord, "record_version", "model")]
_DETAIL = [*_fields(Detail, _PYTHON, "record")]
_TWICE = [
    ("shape_only", bool),
    ("counters", CpuCounters | None),
    ("contended_rounds", Count | None),
]
"""Figures that the record or the verdict has as well; they are no more written."""
_Detail = defstruct("Detail", [*_DETAIL, *_RECORD, *_TWICE], **_RULES)
_KEYS = [*_fields(Result, "schema_version", "detail")]
_Result = defstruct(
    "Result", [*_KEYS, ("schema_version", Literal[1]), ("detail", _Detail)], **_RULES
)


def read(content: bytes, where: str, remedy: str) -> Result:
    """Return a result file of version 1 as one of today; its figures are checked.

    Raises:
        BenchError: it is not of that version, or a figure does not follow from its rounds.

    """
    document: Any = parsed(content, _Result, where, remedy)
    result = _of_today(asdict(document), asdict(document.detail))
    check_result(result, where)
    record = result.detail.record
    true = record.weights.shape_only, counters_of(record), contended_rounds(record)
    refuse_edited(
        (
            (f"detail.{name}", getattr(document.detail, name), figure)
            for (name, _), figure in zip(_TWICE, true, strict=True)
        ),
        where,
    )
    return result


def _of_today(keys: dict[str, Any], detail: dict[str, Any]) -> Result:
    versions = dict(detail["versions"])
    python = versions.pop(_PYTHON, _NOT_KNOWN)
    record = CaseRecord(
        **{**_taken(_RECORD, detail), "versions": versions},
        record_version=RECORD_VERSION,
        model=keys["model_size"],
    )
    return Result(
        **_taken(_KEYS, keys),
        schema_version=SCHEMA_VERSION,
        detail=Detail(**_taken(_DETAIL, detail), python=python, record=record),
    )


def _taken(names: Iterable[tuple[Any, ...]], values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name, *_ in names}
