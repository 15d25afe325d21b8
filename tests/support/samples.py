"""Evidence of a case without measuring one: for arithmetic, never for a claim about a machine."""

import msgspec

from whisper_bench.case.backend import Backend
from whisper_bench.case.case import Case, Split
from whisper_bench.case.clip import Clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.measure.journal import ReadyLine, RoundLine
from whisper_bench.measure.measurement import FinishedRounds, Plan
from whisper_bench.weights.resolve import Weights
from whisper_bench.worker.engine import Transcription
from whisper_bench.worker.protocol import Measured, Ready

CASE = Case("base", 1, "vi_30s")
CLIP = Clip("vi_30s", "/clips/vi_30s.wav", "c" * 64, 30.0, "vi", "một hai ba", {"base": 0.75})
FILES = {"model.bin": "a" * 64, "config.json": "e" * 64}
WEIGHTS = Weights(
    "base", "/models/base", "model-dir", "a" * 64, pinned=True, shape_only=False,
    revision="revision", files=FILES,
)  # fmt: skip
LIMIT = CpuLimit(1.0, "cgroup v2 quota", 1.0, "/sys/fs/cgroup", 8, 8, tree="whole")
COUNTERS = CpuCounters(10, 0, 0.0)
NO_LIMIT = CpuLimit(None, "none", None, None, 8, 8, tree="whole")


def plan(case=CASE, *, rounds=4, processes=2, clip=CLIP, weights=WEIGHTS):
    return Plan(case, clip, weights, "int8", Decoding("vi"), rounds, processes, 1)


def ready(process, case=CASE, limit=LIMIT):
    backend = Backend("AVX2", "MKL", "MKL", True, "int8_float32")  # noqa: FBT003
    facts = Ready(
        100 + process, 0.5, "int8_float32", limit, {"ctranslate2": "4"}, {}, backend, FILES
    )
    return ReadyLine(case, process, facts)


def measured(wall_s, cpu_s=None, *, text="một hai bốn", counters=COUNTERS):
    heard = Transcription(wall_s, wall_s if cpu_s is None else cpu_s, 3, text)
    return Measured(heard, 0.0, counters, 300 * 2**20)


def round_line(process, latency_s, cpu_s=None, case=CASE, **settings):
    return RoundLine(case, process, latency_s, measured(latency_s, cpu_s, **settings))


def evidence(*latencies_s, limit=LIMIT, per_process=2):
    """Return rounds of the given latencies, `per_process` in each fresh process."""
    lines = [
        round_line(1 + number // per_process, latency_s)
        for number, latency_s in enumerate(latencies_s)
    ]
    processes = sorted({line.process for line in lines})
    return FinishedRounds([ready(process, limit=limit) for process in processes], lines)


def split_record(record, tokens, token_s):
    """Return a record whose rounds decoded so many tokens, and took the rest for one window."""
    decode_s = tokens * token_s
    rounds = [
        msgspec.structs.replace(
            measured,
            tokens=tokens,
            split=Split(
                1, measured.wall_s - decode_s, decode_s, measured.cpu_s - decode_s, decode_s
            ),
        )
        for measured in record.rounds
    ]
    return msgspec.structs.replace(record, rounds=rounds, tokens=tokens)
