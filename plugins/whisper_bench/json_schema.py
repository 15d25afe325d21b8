"""JSON Schemas of our files: generated from the types, shipped as files, held to when we write."""

from functools import cache
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from whisper_bench.errors import BenchError

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


def generated_schema(form: type) -> dict[str, Any]:
    """Return the JSON Schema that a type gives; the shipped file is its copy (a test says so)."""
    generated = {"$schema": SCHEMA_ID, **msgspec.json.schema(form)}
    for definition in generated["$defs"].values():
        # Python 3.13 takes the indentation out of docstrings, those before leave it in
        definition["description"] = cleandoc(definition["description"])
    return generated


def shipped_schema(package: str, name: str) -> dict[str, Any]:
    """Return a JSON Schema that is shipped with a package."""
    loaded: dict[str, Any] = msgspec.json.decode((files(package) / name).read_bytes())
    return loaded


def validate(document: object, package: str, name: str, where: str) -> None:
    """Check a parsed document against a shipped JSON Schema.

    Raises:
        BenchError: it does not hold; the key and the value are named.

    """
    error = next(iter(_validator(package, name).iter_errors(document)), None)
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the document"
        raise BenchError(f"{where}: {place}: {error.message}; make it again from the saved run")


@cache
def _validator(package: str, name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(shipped_schema(package, name))
