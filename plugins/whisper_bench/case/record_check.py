"""Check a record that was read: every name is allowed, and every sum agrees with its parts.

Each figure's range is its type's (`whisper_bench.ranges`), and was held to as it was parsed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from whisper_bench.case.case import Round, Split
from whisper_bench.case.clip import windows_of
from whisper_bench.case.contention import enough_share, is_contended
from whisper_bench.case.record import CaseRecord, ProcessFacts
from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.machine.cpu_limit import CpuLimit, smallest_limit
from whisper_bench.ranges import MOST_CPUS
from whisper_bench.weights.pins import MODEL, is_shape_only

_AGREE = 1e-9
_REMEDY = "the file was edited or cut, measure again"
_CLOCK_S = 0.1
"""CPU time is counted in ticks of up to 10 ms a thread, and a little longer than the wall time."""
_SHORTEST_PERIOD_S = 1e-3
"""Linux, kernel/sched/core.c, min_cfs_quota_period."""
_READ_APART = 1
"""The kernel may end a period between printing its two counts, and the last reading keeps that."""


def check_record(record: CaseRecord, where: str) -> None:
    """Check that a record that was read is one that a measurement gives.

    Raises:
        BenchError: a name cannot be a file's, it has no rounds or processes, or its figures do not
            follow from one another.

    """
    checked_name(record.model, f"{where}: model", _REMEDY)
    checked_name(record.clip.name, f"{where}: clip", _REMEDY)
    for trouble in _troubles(record):
        raise BenchError(f"{where}: {record.label}: {trouble}; {_REMEDY}")


def refuse_twins(records: Sequence[CaseRecord], where: str) -> None:
    """Refuse a case that is there twice, since neither could be chosen.

    Raises:
        BenchError: it names the case.

    """
    for label, times in Counter(record.label for record in records).items():
        if times > 1:
            raise BenchError(
                f"{where}: the case {label} is in it twice; keep one, or measure again"
            )


def _troubles(record: CaseRecord) -> Iterator[str]:
    """Yield what is wrong, the plainest first."""
    if not record.rounds or not record.processes:
        yield "it has no rounds on record"
    else:
        yield from _identity_troubles(record)
        yield from _limit_troubles(record.cpu_limit)
        yield from _copy_troubles(record)
        yield from _round_troubles(record)
        yield from _process_troubles(record)


def _identity_troubles(record: CaseRecord) -> Iterator[str]:
    clip, shape_only = record.clip, record.weights.shape_only
    if clip.windows != windows_of(clip.duration_s):
        yield (
            f"a clip of {clip.duration_s:g} s has {clip.windows} windows on record, and "
            f"{windows_of(clip.duration_s)} are right"
        )
    if shape_only != is_shape_only(record.model):
        yield f"shape_only is {shape_only}, and the model is {record.model}"
    files, sha256 = record.weights.files, record.weights.sha256
    if files is not None and files.get(MODEL) != sha256:
        yield (
            f"the sha256 of {MODEL} is {files.get(MODEL)} in weights.files, and {sha256} in "
            "weights.sha256"
        )
    error_rate, bound = record.word_error_rate, record.word_error_rate_bound
    if error_rate is not None and bound is not None and error_rate > bound:
        yield f"a word error rate of {error_rate:g}, above its bound of {bound:g}"
    if record.resumed_rounds > len(record.rounds):
        yield (
            f"{record.resumed_rounds} resumed rounds are on record, and {len(record.rounds)} "
            "rounds in all"
        )


def _limit_troubles(limit: CpuLimit) -> Iterator[str]:
    quota, affinity, online = limit.quota_cpus, limit.affinity_cpus, limit.online_cpus
    if limit.cpus != smallest_limit(quota, affinity, online):
        limited, rationed = (
            f"no {name}" if cpus is None else f"a {name} of {cpus:g}"
            for name, cpus in (("CPU limit", limit.cpus), ("quota", quota))
        )
        yield f"{limited} is on record, {rationed}, and an affinity to {affinity} of {online} CPUs"


def _copy_troubles(record: CaseRecord) -> Iterator[str]:
    """Hold the rounds of several copies to what was measured: whole sets, on one clock."""
    if record.copies == 1 and all(measured.copy == 1 for measured in record.rounds):
        return
    sets = Counter((measured.process, measured.copy) for measured in record.rounds)
    for process in record.processes:
        counts = {sets[process.process, copy] for copy in range(1, record.copies + 1)}
        if len(counts) != 1 or sum(counts) * record.copies != process.rounds:
            yield f"process {process.process} has not as many rounds of each of its copies"
    if any(measured.start_s is None for measured in record.rounds):
        yield f"a round of {record.copies} copies has no start on record"


def _round_troubles(record: CaseRecord) -> Iterator[str]:
    tokens, cpus = record.tokens, max(record.cpu_limit.online_cpus or MOST_CPUS, record.threads)
    threads, usable_cpus = record.threads, record.cpu_limit.usable_cpus
    enough = enough_share(threads, usable_cpus)
    windows = next((measured.split.windows for measured in record.rounds if measured.split), 0)
    for measured in record.rounds:
        wall_s, cpu_s = measured.wall_s, measured.cpu_s
        if measured.tokens != tokens:
            yield f"a round of {measured.tokens} tokens is in a case of {tokens} tokens"
        if wall_s > measured.latency_s:
            yield f"a round of {wall_s:g} s is longer than its latency of {measured.latency_s:g} s"
        if cpu_s > cpus * wall_s + _CLOCK_S:
            yield f"{cpu_s:g} CPU-seconds in {wall_s:g} s are more than {cpus} CPUs can give"
        # nearly every round has had enough: of thousands of runs the call costs as much as the rest
        contended = cpu_s < enough * wall_s and is_contended(
            wall_s=wall_s,
            cpu_s=cpu_s,
            wait_s=measured.wait_s,
            threads=threads,
            usable_cpus=usable_cpus,
        )
        if measured.split is not None:
            yield from _split_troubles(measured, measured.split, windows)
        if measured.contended is not contended:
            yield (
                f"a round of process {measured.process} has contended {measured.contended} on "
                f"record, and its {cpu_s:g} CPU-seconds in {wall_s:g} s give {contended}"
            )


def _split_troubles(measured: Round, split: Split, windows: int) -> Iterator[str]:
    """Hold the phases of a round to the round that they are parts of."""
    if split.windows != windows:
        yield f"a round of {split.windows} windows is in a case of {windows} windows"
    parts = (
        ("s", split.encode_s, split.decode_s, measured.wall_s),
        ("CPU-seconds", split.encode_cpu_s, split.decode_cpu_s, measured.cpu_s),
    )
    for unit, encoder, decoder, whole in parts:
        if encoder + decoder > whole * (1 + _AGREE):
            yield f"a round of {whole:g} {unit} has {encoder:g} of encoder, {decoder:g} of decoder"


def _process_troubles(record: CaseRecord) -> Iterator[str]:
    rounds: dict[int, list[Round]] = {}
    for measured in record.rounds:
        rounds.setdefault(measured.process, []).append(measured)
    for process in record.processes:
        of_process = rounds.pop(process.process, None)
        if of_process is None:
            yield f"process {process.process} is there twice, or has no rounds"
        else:
            latencies_s = [measured.latency_s for measured in of_process]
            yield from _sum_troubles(
                process, latencies_s, [measured.cpu_s for measured in of_process]
            )
    for number, of_process in rounds.items():
        yield (
            f"{len(of_process)} rounds are of process {number}, which is not in the list of "
            "processes"
        )


def _sum_troubles(
    process: ProcessFacts, latencies_s: list[float], cpu_s: list[float]
) -> Iterator[str]:
    named = f"process {process.process}"
    if process.rounds != len(latencies_s):
        yield f"{named} has {process.rounds} rounds on record, and {len(latencies_s)} are there"
    means = (
        ("a mean of", "s", process.mean_latency_s, latencies_s),
        ("a mean of", "CPU-seconds", process.mean_cpu_s, cpu_s),
    )
    for what, unit, mean, parts in means:
        true = sum(parts) / len(parts)
        if abs(true - mean) > _AGREE * true:
            yield f"{named} has {what} {mean:g} {unit} on record, and rounds whose mean is {true:g}"
    counters = process.counters
    if counters and counters.throttled_periods > counters.periods + _READ_APART:
        yield f"{named} has {counters.throttled_periods} throttled periods of {counters.periods}"
    most = sum(latencies_s) / _SHORTEST_PERIOD_S + _READ_APART * len(latencies_s)
    if counters and counters.periods > most:
        yield f"{named} has {counters.periods} periods in {sum(latencies_s):g} s"
