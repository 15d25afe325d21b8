"""Write the shipped JSON Schemas again, from the types.

python docs/schemas.py
"""

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from whisper_bench.gate.report import GateReport
from whisper_bench.ratio.config import RatioConfig
from whisper_bench.results.schema import Result

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ROOT = Path(__file__).parent.parent / "plugins" / "whisper_bench"
SHIPPED: dict[type, Path] = {
    Result: ROOT / "results" / "result.schema.json",
    RatioConfig: ROOT / "ratio" / "ratio_config.schema.json",
    GateReport: ROOT / "gate" / "gate.schema.json",
}


def schema_text(form: type) -> str:
    """Return the JSON Schema of a type, as in its file."""
    schema: dict[str, Any] = {"$schema": DIALECT, **msgspec.json.schema(form)}
    for definition in schema["$defs"].values():
        # Python 3.13 removes the indentation of docstrings, older ones keep it
        definition["description"] = cleandoc(definition["description"])
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    for form, path in SHIPPED.items():
        path.write_text(schema_text(form), encoding="utf-8")
