"""Saved runs as pytest-benchmark writes them, made from evidence and not measured."""

import json

import msgspec

from support.samples import evidence, plan
from whisper_bench.measure.gather import gathered
from whisper_bench.results.convert import results_of
from whisper_bench.saved.file import parse_saved


def saved_document(*latencies_s, moment="2026-11-24T10:30:00.123456+02:00", **settings):
    measured = settings.pop("evidence", None) or evidence(*latencies_s)
    record = gathered(plan(rounds=len(measured.rounds), **settings), measured)
    return {
        "machine_info": {
            "node": "n1", "system": "Linux", "release": "6.1", "python_version": "3.12.1",
            "whisper_bench": {"architecture": "x86_64", "cpu_model": "A test's chip"},
        },
        "commit_info": {},
        "datetime": moment,
        "version": "5.3.1",
        "benchmarks": [
            {
                "name": "test_transcribe[base-t1-vi_30s]",
                "extra_info": {"whisper_bench": msgspec.to_builtins(record)},
                "stats": {"data": [line.latency_s for line in measured.rounds], "mean": 1.0},
            }
        ],
    }  # fmt: skip


def encoded(*latencies_s, **settings):
    return json.dumps(saved_document(*latencies_s, **settings)).encode()


def result_of(*latencies_s, **settings):
    (result,) = results_of(parse_saved(encoded(*latencies_s, **settings), "m4"), "m4", "m4")
    return result


def save(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
