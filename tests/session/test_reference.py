"""`--whisper-reference`: checked before anything is measured, told and kept at the end."""

import json
import shutil

import msgspec
import pytest

from support.documents import encoded, save
from support.project import BENCHMARK
from support.samples import NO_LIMIT

QUICK = ("--whisper-rounds=4", "--whisper-processes=2")


@pytest.fixture(scope="module")
def measured(tmp_path_factory, toy_arguments, fork_server):
    """The folder of a run called m4, measured once for all."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "test_bench.py").write_text(BENCHMARK)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        run = fork_server.pytest(folder, *toy_arguments, "--benchmark-save=m4", *QUICK)
    assert run.ret == 0
    return folder


@pytest.fixture
def saved(bench, pytester, measured):
    """Runs beside one called m4."""
    for name in (".benchmarks", "benchmark_results"):
        shutil.copytree(measured / name, pytester.path / name)
    return bench


def config_in(pytester):
    path = pytester.path / "benchmark_results" / "ratio_config.json"
    return json.loads(path.read_text()) if path.exists() else None


def test_the_ratio_is_told_and_kept_at_the_end(saved, pytester):
    outcome = saved("--benchmark-save=xeon", "--whisper-reference=m4", *QUICK)
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines([
        "reference  m4 * .benchmarks/*/0001_m4.json",
        "target     xeon  *.benchmarks/*/0002_xeon.json",
        "case * m4 * xeon * ratio * 95% interval * processes*",
        "base-t1-noise * 2 and 2*",
        "one m4 does the work of * of xeon: rps on xeon = rps on m4 / *",
        "wrote benchmark_results/ratio_config.json",
    ])  # fmt: skip
    config = config_in(pytester)
    assert (config["reference"]["name"], config["target"]["name"]) == ("m4", "xeon")
    assert config["cases"][0]["low"] < config["cases"][0]["ratio"] < config["cases"][0]["high"]


def test_the_newest_run_before_this_one_is_the_reference_of_its_own_name(saved, pytester):
    outcome = saved("--benchmark-save=m4", "--whisper-reference=m4", *QUICK)
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(["reference  m4 *0001_m4.json"])


def test_a_run_that_is_not_saved_is_compared_too(saved, pytester):
    outcome = saved("--whisper-reference=m4", *QUICK)
    assert outcome.ret == 0
    assert config_in(pytester)["target"]["name"] == "this run"


def test_no_such_reference_is_told_before_anything_is_measured(bench, pytester):
    outcome = bench("--benchmark-save=xeon", "--whisper-reference=m4", *QUICK)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines(["ERROR: no saved run 'm4' in *; saved there: none*"])
    assert not (pytester.path / "benchmark_results").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--whisper-beam-size=2", "*decoding.beam_size: 1 against 2*"),
        ("--whisper-compute-type=float32", "*compute_type: int8 against float32*"),
        ("--whisper-threads=1,2", "*cases: none against base-t2-noise*"),
        ("--whisper-threads=2", "*threads: 1 against 2*"),
    ],
)
def test_a_plan_that_could_not_be_compared_is_not_measured(saved, pytester, option, message):
    outcome = saved("--benchmark-save=xeon", "--whisper-reference=m4", *QUICK, option)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines([
        "ERROR: m4 and this run are not comparable:", message, "*with --whisper-allow-mismatch=*",
    ])  # fmt: skip
    assert len(list(pytester.path.glob(".benchmarks/*/*.json"))) == 1


HIDING = """
import msgspec
from whisper_bench.session import bench
limit = bench.cpu_limit_in_force
bench.cpu_limit_in_force = lambda: msgspec.structs.replace(
    limit(), cpus=None, quota_cpus=None, tree="the groups above are hidden"
)
"""


def test_a_limit_that_cannot_be_seen_is_refused_before_anything_is_measured(saved, pytester):
    (path,) = pytester.path.glob(".benchmarks/*/0001_m4.json")
    document = json.loads(path.read_text())
    extra = document["benchmarks"][0]["extra_info"]["whisper_bench"]
    extra["cpu_limit"] = msgspec.to_builtins(NO_LIMIT)
    path.write_text(json.dumps(document))
    pytester.makeconftest(HIDING)
    outcome = saved("--whisper-reference=m4", *QUICK)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines(["ERROR: m4 and *", "*cpu_limit: none against unknown *"])


def test_a_mismatch_that_is_let_through_is_recorded(saved, pytester):
    outcome = saved(
        "--whisper-reference=m4", *QUICK, "--whisper-beam-size=2",
        "--whisper-allow-mismatch=decoding.beam_size,tokens",
    )  # fmt: skip
    assert outcome.ret == 0
    allowed = {item["field"]: item for item in config_in(pytester)["allowed_mismatches"]}
    assert allowed["decoding.beam_size"]["target"] == 2
    outcome.stdout.fnmatch_lines(["! allowed, decoding.beam_size: 1 against 2 *"])


def test_a_field_that_is_not_compared(saved):
    outcome = saved("--whisper-reference=m4", "--whisper-allow-mismatch=colour", *QUICK)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines([
        "ERROR: --whisper-allow-mismatch colour: no such field is compared*",
    ])  # fmt: skip
    outcome = saved("--whisper-allow-mismatch=colour", *QUICK)
    assert outcome.ret == 4


def test_a_field_to_let_through_without_a_reference_is_no_matter(saved, pytester):
    assert saved("--whisper-allow-mismatch=tokens", *QUICK).ret == 0
    assert config_in(pytester) is None


def test_an_empty_variable_is_no_reference(saved):
    outcome = saved("--whisper-reference=", *QUICK)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines(
        ["*--whisper-reference (whisper_reference): '' is an invalid value*"]
    )


def test_what_turns_out_to_differ_is_red_and_the_run_is_kept(saved, pytester):
    (path,) = pytester.path.glob(".benchmarks/*/*.json")
    document = json.loads(path.read_text())
    record = document["benchmarks"][0]["extra_info"]["whisper_bench"]
    record["versions"]["ctranslate2"] = "0"
    path.write_text(json.dumps(document))
    outcome = saved("--benchmark-save=xeon", "--whisper-reference=m4", *QUICK)
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == 1
    outcome.stdout.fnmatch_lines(["FAILED: m4 and xeon are not comparable:", "*versions.ctran*"])
    assert config_in(pytester) is None
    assert len(list(pytester.path.glob(".benchmarks/*/*_xeon.json"))) == 1
    assert not list(pytester.path.glob("benchmark_results/journal/*"))


def test_one_round_is_refused_before_it_is_measured(saved, pytester):
    outcome = saved("--whisper-reference=m4", "--whisper-rounds=1")
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines(
        ["ERROR: --whisper-reference=m4: 1 round is too few for an interval*"]
    )


def test_an_invalid_ratio_is_red(bench, pytester):
    bench("--benchmark-save=m4", "--whisper-rounds=1").assert_outcomes(passed=1)
    outcome = bench("--whisper-reference=m4", *QUICK)
    assert outcome.ret == 1
    outcome.stdout.fnmatch_lines([
        "base-t1-noise * INVALID *",
        "FAILED: no ratio_config.json is written, since a ratio is INVALID: base-t1-noise: *",
    ])  # fmt: skip
    assert config_in(pytester) is None


def test_no_ratio_where_a_case_failed(saved, pytester):
    pytester.makepyfile(
        test_bench="""
        def test_transcribe(benchmark, whisper_case):
            whisper_case.run(benchmark)
            assert 0
        """
    )
    outcome = saved("--whisper-reference=m4", *QUICK)
    assert outcome.ret == 1
    outcome.stdout.fnmatch_lines(["no ratio: a failed run is not compared"])
    assert config_in(pytester) is None


def test_a_reference_of_another_suite(bench, pytester):
    document = json.loads(encoded(1.0, 1.0))
    document["benchmarks"][0]["extra_info"] = {}
    save(pytester.path, ".benchmarks/Linux-A/0001_m4.json", json.dumps(document).encode())
    outcome = bench("--whisper-reference=m4", *QUICK)
    assert outcome.ret == 4
    outcome.stderr.fnmatch_lines(["ERROR: *no case of whisper-bench is in it*"])
