"""The shipped JSON Schemas accept and refuse what the types do, by which every file is read."""

import copy
import sys
from datetime import datetime

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from support.documents import result_of
from support.gates import Played, around
from support.project import ROOT
from support.ratios import m4, xeon
from whisper_bench import calculate_ratio
from whisper_bench.gate.report import GateReport
from whisper_bench.ratio.config import RatioConfig, config_of
from whisper_bench.results.schema import Result

sys.path.insert(0, str(ROOT / "docs"))

import schemas

FORMS = pytest.mark.parametrize("form", schemas.SHIPPED, ids=lambda form: form.__name__)
# not 1.0, which is an integer to JSON Schema and none to msgspec
WRONG = (
    *(None, True, -1, 0, 10**18, 0.5, [], [None], {"x": 1}),
    *("", "x", "../x", "2026-11-24T08:30:00Z"),
)
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _has_a_zone(value):
    """Tell a moment as RFC 3339 has it; msgspec reads those alone."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@pytest.fixture(scope="module")
def documents():
    made = {
        Result: result_of(4.5, 4.6),
        RatioConfig: config_of(calculate_ratio(m4(), xeon())),
        GateReport: Played(around(1.0), around(1.02)).gate(most_pairs=4),
    }
    return {form: msgspec.to_builtins(value) for form, value in made.items()}


def is_typed(document, form):
    try:
        msgspec.json.decode(msgspec.json.encode(document), type=form)
    except (msgspec.MsgspecError, ValueError):
        return False
    return True


def places_of(value, path=()):
    """Yield the path of each value of a document; of a list, its first one's."""
    yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from places_of(child, (*path, key))
    elif isinstance(value, list) and value:
        yield from places_of(value[0], (*path, 0))


def changed(document):
    """Yield the document once for each wrong value, key missing and key too many."""
    for path in places_of(document):
        document = copy.deepcopy(document)
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        value = parent[path[-1]] if path else parent
        for wrong in WRONG:
            if path:
                parent[path[-1]] = wrong
                yield (*path, wrong), document
            else:
                yield (wrong,), wrong
        if path and isinstance(parent, dict):
            del parent[path[-1]]
            yield (*path, "left out"), document
        if path:
            parent[path[-1]] = value
        if isinstance(value, dict):
            value["mine"] = "x"
            yield (*path, "mine"), document
            del value["mine"]


@FORMS
def test_the_shipped_schema_is_generated_from_the_type(form):
    text = schemas.SHIPPED[form].read_text(encoding="utf-8")
    assert text == schemas.schema_text(form), "python docs/schemas.py writes it anew"


@FORMS
def test_the_schema_and_the_type_accept_and_refuse_the_same(form, documents):
    schema = msgspec.json.decode(schemas.SHIPPED[form].read_bytes())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FORMATS)
    assert validator.is_valid(documents[form])
    assert is_typed(documents[form], form)
    answers = [
        (place, validator.is_valid(document), is_typed(document, form))
        for place, document in changed(documents[form])
    ]
    assert [place for place, by_schema, by_type in answers if by_schema != by_type] == []
    assert {by_type for _, _, by_type in answers} == {True, False}
    assert len(answers) > 500
