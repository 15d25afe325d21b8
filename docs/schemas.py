"""Write the shipped JSON Schemas anew from the types.

python docs/schemas.py
"""

import json
from importlib.resources import files
from pathlib import Path

from whisper_bench.gate import report
from whisper_bench.json_schema import generated_schema
from whisper_bench.ratio import config
from whisper_bench.results import schema

for form, (package, name) in (
    (schema.Result, schema.SCHEMA),
    (config.RatioConfig, config.SCHEMA),
    (report.GateReport, report.SCHEMA),
):
    path = Path(str(files(package) / name))
    path.write_text(json.dumps(generated_schema(form), indent=2) + "\n", encoding="utf-8")
