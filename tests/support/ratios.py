"""Runs for the ratio, made from evidence and not measured."""

from datetime import UTC, datetime

import msgspec

from support.samples import CLIP, LIMIT, evidence, plan
from whisper_bench.case.case import Case, Split
from whisper_bench.case.clip import windows_of
from whisper_bench.measure.gather import gathered
from whisper_bench.ratio.load import run_of_records
from whisper_bench.ratio.run import RunFacts

M4 = (1.0, 1.02, 1.04, 1.06, 0.98, 1.0)
XEON = (2.5, 2.6, 2.55, 2.45, 2.5, 2.4)


def record(*latencies_s, case=("base", 1, "vi_30s"), per_process=2, limit=LIMIT, **changes):
    """Return the record of a case; `changes` are of its fields."""
    actual = evidence(*latencies_s, per_process=per_process, limit=limit)
    clip = msgspec.structs.replace(CLIP, name=case[2])
    made = gathered(plan(Case(*case), rounds=len(latencies_s), clip=clip), actual)
    return msgspec.structs.replace(made, **changes)


def facts(name="m4", **changes):
    made = RunFacts(
        name=name,
        where=f".benchmarks/{name}.json",
        moment=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        architecture="ARM64",
        cpu_model="Apple M4",
        node="n1",
        system="Linux",
        kernel="6.1",
        python="3.12.1",
    )
    return msgspec.structs.replace(made, **changes)


def run(*records, name="m4", **changes):
    return run_of_records(records, facts(name, **changes))


def m4(*records, **changes):
    return run(*(records or [record(*M4)]), **changes)


def xeon(*records, **changes):
    settled = {"name": "xeon", "architecture": "x86_64", "cpu_model": "A test's Xeon", **changes}
    return run(*(records or [record(*XEON)]), **settled)


def work_record(*processes, tokens=100, rest_s=0.01, audio_s=30.0, **changes):
    """Return the record of a case; processes are (seconds a window, seconds a token).

    Each process has two rounds, a little faster and slower than its mean.
    """
    windows = windows_of(audio_s)
    parts = [
        (windows * window_s * way, token_s * way)
        for window_s, token_s in processes
        for way in (0.99, 1.01)
    ]
    latencies_s = (encode_s + tokens * token_s + windows * rest_s for encode_s, token_s in parts)
    made = record(*latencies_s, case=("base", 1, f"vi_{audio_s:g}s"))
    clip = msgspec.structs.replace(made.clip, duration_s=audio_s, windows=windows)
    rounds = [
        msgspec.structs.replace(
            measured,
            tokens=tokens,
            split=Split(
                windows, encode_s, tokens * token_s, 0.9 * encode_s, 0.9 * tokens * token_s
            ),
        )
        for measured, (encode_s, token_s) in zip(made.rounds, parts, strict=True)
    ]
    return msgspec.structs.replace(made, clip=clip, rounds=rounds, tokens=tokens, **changes)
