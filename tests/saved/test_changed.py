"""A saved run that no measurement gives is refused by every command that reads one."""

import shutil

import pytest

from support.foreign import at, changed, commands, dated, left_in, main
from support.project import RECORDED
from whisper_bench.errors import BenchError
from whisper_bench.ratio.pandas_frames import samples_frame

pytestmark = pytest.mark.usefixtures("one_parser")
RECORDED_RUNS = RECORDED / "cases" / "saved"


def _twice(_document, record):
    record["processes"].append(record["processes"][0])


def _missing(_document, record):
    record["processes"].pop()


def _no_rounds(document, record):
    record["rounds"].clear()
    document["benchmarks"][0]["stats"]["data"].clear()


def _other_samples(document, _record):
    document["benchmarks"][0]["stats"]["data"][0] *= 2


def _fewer_samples(document, _record):
    document["benchmarks"][0]["stats"]["data"].pop()


def _same_case_twice(document, _record):
    document["benchmarks"] += document["benchmarks"][:1]


def _params(**others):
    return lambda document, _record: document["benchmarks"][0]["params"].update(others)


CHANGES = {
    "cpus -1": (at("cpu_limit", "cpus", value=-1), "cpus is -1"),
    "cpus 0": (at("cpu_limit", "cpus", value=0), "cpus is 0"),
    "cpus 1e9": (at("cpu_limit", "cpus", value=1e9), "cpus is 1"),
    "cpus above the quota": (at("cpu_limit", "cpus", value=3.5), "CPU limit of 3.5"),
    "no limit under a quota": (at("cpu_limit", "cpus", value=None), "no CPU limit is on record"),
    "limit of nothing": (at("cpu_limit", "quota_cpus", value=None), "CPU limit of"),
    "quota above the limit": (at("cpu_limit", "quota_cpus", value=10.0), "a quota of 10,"),
    "quota 0": (at("cpu_limit", "quota_cpus", value=0), "quota_cpus is 0"),
    "affinity 0": (at("cpu_limit", "affinity_cpus", value=0), "affinity_cpus is 0"),
    "online -2": (at("cpu_limit", "online_cpus", value=-2), "online_cpus is -2"),
    "threads -1": (at("threads", value=-1), "threads is -1"),
    "threads 0": (at("threads", value=0), "threads is 0"),
    "threads a million": (at("threads", value=10**6), "threads is 1000000"),
    "duration 0": (at("clip", "duration_s", value=0), "duration_s is 0"),
    "duration -30": (at("clip", "duration_s", value=-30), "duration_s is -30"),
    "windows 0": (at("clip", "windows", value=0), "windows is 0"),
    "windows 9": (at("clip", "windows", value=9), "9 windows on record"),
    "clip's sha256": (at("clip", "sha256", value="zz"), "sha256 is 'zz'"),
    "model's sha256": (at("weights", "sha256", value="A" * 64), "sha256 is 'AAA"),
    "files of other weights": (
        at("weights", "files", value={"model.bin": "b" * 64}), "in weights.files",
    ),
    "shape only": (at("weights", "shape_only", value=True), "shape_only is True"),
    "latency 0": (at("rounds", 0, "latency_s", value=0), "latency_s is 0"),
    "latency -1": (at("rounds", 0, "latency_s", value=-1), "latency_s is -1"),
    "latency 1e300": (at("rounds", 0, "latency_s", value=1e300), "latency_s is 1"),
    "latency another": (at("rounds", 0, "latency_s", value=99.0), "has a mean of"),
    "wall 0": (at("rounds", 0, "wall_s", value=0), "wall_s is 0"),
    "wall above the latency": (at("rounds", 0, "wall_s", value=99.0), "a round of 99 s"),
    "CPU-seconds -1": (at("rounds", 0, "cpu_s", value=-1), "cpu_s is -1"),
    "CPU-seconds impossible": (at("rounds", 0, "cpu_s", value=9e5), "900000 CPU-seconds"),
    "contended": (at("rounds", 0, "contended", value=True), "contended True on record"),
    "contended unknown": (at("rounds", 0, "contended", value=None), "contended None on"),
    "wait -1": (at("rounds", 0, "wait_s", value=-1), "wait_s is -1"),
    "tokens -5": (at("tokens", value=-5), "tokens is -5"),
    "tokens of a round -5": (at("rounds", 0, "tokens", value=-5), "tokens is -5"),
    "tokens of a round another": (at("rounds", 0, "tokens", value=5), "a round of 5 tokens"),
    "process 0": (at("rounds", 0, "process", value=0), "process is 0"),
    "process unknown": (at("rounds", 0, "process", value=77), "process 1 has"),
    "process twice": (_twice, "process 1 is there twice"),
    "process missing": (_missing, "which is not in the list of processes"),
    "process's rounds": (at("processes", 0, "rounds", value=9), "9 rounds on record"),
    "process's mean": (at("processes", 0, "mean_latency_s", value=9.0), "a mean of 9 s"),
    "process's CPU mean": (at("processes", 0, "mean_cpu_s", value=9.0), "9 CPU-seconds"),
    "load -1": (at("processes", 0, "load_s", value=-1), "load_s is -1"),
    "memory 0": (at("processes", 0, "peak_rss_bytes", value=0), "peak_rss_bytes is 0"),
    "memory -1": (at("processes", 0, "peak_rss_bytes", value=-1), "peak_rss_bytes is -1"),
    "throttled -9": (
        at("processes", 0, "counters", "throttled_periods", value=-9), "throttled_periods is -9",
    ),
    "throttled above periods": (
        at("processes", 0, "counters", "throttled_periods", value=10**6), "1000000 throttled",
    ),
    "more periods than the kernel can count": (
        at("processes", 0, "counters", "periods", value=10**9), "1000000000 periods in",
    ),
    "periods -1": (at("processes", 0, "counters", "periods", value=-1), "periods is -1"),
    "throttled seconds": (at("processes", 0, "counters", "throttled_s", value=-0.5), "is -0.5"),
    "planned 0": (at("planned_rounds", value=0), "planned_rounds is 0"),
    "resumed 99": (at("resumed_rounds", value=99), "99 resumed rounds"),
    "warm-up -1": (at("warmup_rounds", value=-1), "warmup_rounds is -1"),
    "beam 0": (at("decoding", "beam_size", value=0), "beam_size is 0"),
    "word error rate -1": (at("word_error_rate", value=-1), "word_error_rate is -1"),
    "word error rate above its bound": (
        at("word_error_rate_bound", value=0.1), "above its bound of 0.1",
    ),
    "threads of the parameters": (_params(threads=4), "threads is '4' in its params"),
    "model of the parameters": (_params(model="x\x1b"), r"model is 'x\x1b' in its params"),
    "versions": (at("record_version", value=2), "record version 2"),
    "no rounds": (_no_rounds, "it has no rounds on record"),
    "other samples": (_other_samples, "its samples are not those"),
    "fewer samples": (_fewer_samples, "samples and"),
    "a case twice": (_same_case_twice, "is in it twice"),
    "model leaves its folder": (at("model", value="../../../escaped/base"), "it has /"),
    "clip leaves its folder": (at("clip", "name", value="/etc/cron.d/x"), "it has /"),
    "model has an escape": (at("model", value="base\x1b[2J"), "cannot be printed"),
    "clip is empty": (at("clip", "name", value=""), "length"),
    "year 1": (dated("0001-01-01T00:00:00+14:00"), "datetime 0001"),
    "year 9999": (dated("9999-12-31T23:59:59-14:00"), "datetime 9999"),
}  # fmt: skip


def refused(path, folder, capsys):
    """Run the commands on a saved run; return what each says, and hold it to writing nothing."""
    said = {}
    for name, words in commands(path, folder).items():
        before = left_in(folder)
        status = main(words)
        out, err = capsys.readouterr()
        assert status == (1 if name == "collect" else 2), (name, out, err)
        assert "Traceback" not in err
        assert left_in(folder) == before, name
        said[name] = err
    return said


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_is_refused_by_every_command(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    change, message = CHANGES[name]
    path = changed(tmp_path, change)
    for command, err in refused(path, tmp_path, capsys).items():
        assert message in err, command
        assert "measure again" in err, command
        assert (path.name if command != "collect" else "pod.log") in err, command
    with pytest.raises(BenchError) as caught:
        samples_frame(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("source", sorted(RECORDED_RUNS.iterdir()), ids=lambda path: path.stem)
def test_a_recorded_case_is_refused_by_every_command(source, tmp_path, capsys, monkeypatch):
    home = tmp_path / "a" / "user" / "home"  # a path that escapes ends in tmp_path
    path = home / ".benchmarks" / "A" / source.name
    path.parent.mkdir(parents=True)
    monkeypatch.chdir(home)
    shutil.copy(source, path)
    outside = left_in(tmp_path)
    refused(path, home, capsys)
    assert left_in(tmp_path) == outside | left_in(home)
