"""`whisper-bench ratio` and `predict`, from saved runs to exit status."""

import json

import pytest

from support.documents import encoded, save
from support.ratios import M4, XEON
from whisper_bench import load_config, load_run
from whisper_bench.cli import main


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".benchmarks"
    moment = "{:%Y-%m-%dT%H:%M:%S+00:00}".format
    from datetime import UTC, datetime

    now = moment(datetime.now(UTC))
    save(folder, "Linux-A/0001_m4.json", encoded(*M4, moment=now))
    save(folder, "Linux-A/0002_xeon.json", encoded(*XEON, moment=now))
    return folder


def edit(path, change):
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_ratio_of_two_runs_is_printed_and_kept(storage, capsys):
    assert main(["ratio", "m4", "xeon"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("reference  m4 ")
    assert "base-t1-vi_30s  1.016 s  2.500 s  2.459" in out
    assert out.endswith("wrote benchmark_results/ratio_config.json\n")
    assert load_config(storage.parent / "benchmark_results/ratio_config.json").headline


def test_ratio_in_json_has_cases_and_the_kept_file(storage, capsys):
    assert main(["ratio", "0001", "0002_xeon", "--json", "--results", "out"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["comparable"] is True
    assert document["ratio_config"] == "out/ratio_config.json"
    (case,) = document["cases"]
    assert case["low"] < case["ratio"] < case["high"]
    assert document["reference"]["name"] == "m4"


def test_runs_that_cannot_be_compared_exit_1(storage, capsys):
    def change(document):
        record = document["benchmarks"][0]["extra_info"]["whisper_bench"]
        record["decoding"]["beam_size"] = 1

    edit(storage / "Linux-A/0002_xeon.json", change)
    assert main(["ratio", "m4", "xeon"]) == 1
    assert capsys.readouterr().err.startswith(
        "whisper-bench ratio: m4 and xeon are not comparable:\n  decoding.beam_size: 5 against 1"
    )
    assert main(["ratio", "m4", "xeon", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["comparable"] is False
    assert document["error"].startswith("m4 and xeon are not comparable:")
    assert document["mismatches"] == [
        {"field": "decoding.beam_size", "reference": 5, "target": 1, "cases": ["base-t1-vi_30s"]}
    ]
    assert not (storage.parent / "benchmark_results").exists()
    assert main(["ratio", "m4", "xeon", "--allow-mismatch", "decoding"]) == 0


def test_an_invalid_ratio_exits_1_and_keeps_nothing(storage, capsys):
    save(storage, "Linux-A/0003_once.json", encoded(1.2))
    assert main(["ratio", "m4", "once"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("no ratio_config.json is written: ")
    assert "INVALID" in last
    assert not (storage.parent / "benchmark_results").exists()
    assert main(["ratio", "m4", "xeon", "once"]) == 1


def test_more_than_two_runs_give_a_matrix(storage, capsys):
    save(storage, "Linux-A/0003_old.json", encoded(*(2 * item for item in XEON)))
    assert main(["ratio", "*"]) == 0
    assert "latency of the row over latency of the column" in capsys.readouterr().out
    assert main(["ratio", "m4", "*", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in document["runs"]] == ["m4", "xeon", "old"]
    assert len(document["pairs"]) == 3
    assert not (storage.parent / "benchmark_results").exists()


def test_all_runs_takes_every_run_of_a_name(storage, capsys):
    assert main(["ratio", "m4", "xeon", "--all-runs"]) == 2
    assert "m4: 1 run(s) saved" in capsys.readouterr().err
    for number, (name, latencies_s) in enumerate((("m4", M4), ("xeon", XEON)), 3):
        longer = [1.05 * item for item in latencies_s]
        save(storage, f"Linux-B/000{number}_{name}.json", encoded(*longer))
    assert main(["ratio", "m4", "xeon", "--all-runs"]) == 0
    out = capsys.readouterr().out
    assert "Linux-A/0001_m4.json and 1 more" in out
    assert "  runs\n" in out
    assert "2 and 2" in out
    assert main(["ratio", "m4", "--all-runs"]) == 2
    assert "--all-runs m4: " in capsys.readouterr().err


def test_one_run_alone_or_twice_is_misuse(storage, capsys):
    assert main(["ratio", "m4"]) == 2
    assert "0001_m4.json" in capsys.readouterr().err
    assert main(["ratio", "m4", "0001"]) == 2
    # the same file by another way to it
    assert main(["ratio", "m4", str(storage / "Linux-A/0001_m4.json")]) == 2


def test_a_pattern_that_fits_two_keeps_no_ratio(storage, capsys):
    assert main(["ratio", "*"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("no ratio_config.json is written: ")
    assert "two names" in last
    assert not (storage.parent / "benchmark_results").exists()


def test_predict_prints_latency_and_rps_with_intervals(storage, capsys):
    assert main(["ratio", "m4", "xeon"]) == 0
    capsys.readouterr()
    assert main(["predict", "m4"]) == 0
    out = capsys.readouterr().out
    assert " ".join(out.splitlines()[4].split()) == (
        "case m4 ratio on xeon 95% interval requests/s interval"
    )
    assert "not measured on xeon: predicted from the ratio of" in out
    assert main(["predict", "m4", "--json"]) == 0
    (case,) = json.loads(capsys.readouterr().out)["cases"]
    assert case["latency_s"]["low"] < case["latency_s"]["value"] < case["latency_s"]["high"]
    assert case["rps"]["value"] == pytest.approx(1 / case["latency_s"]["value"])


def test_predict_refuses_missing_ratio_bad_age_and_another_chip(storage, capsys):
    assert main(["predict", "m4"]) == 2
    assert "ratio_config.json: No such file" in capsys.readouterr().err
    assert main(["ratio", "m4", "xeon"]) == 0
    assert main(["predict", "m4", "--max-age-days", "old"]) == 2
    assert "--max-age-days old: give a number of days" in capsys.readouterr().err
    assert main(["predict", "m4", "--max-age-days", "-1"]) == 2
    assert "--max-age-days -1: give a number of days, 0 or more" in capsys.readouterr().err
    edit(
        storage / "Linux-A/0001_m4.json",
        lambda d: d["machine_info"]["whisper_bench"].update(cpu_model="Apple M1"),
    )
    assert main(["predict", "m4"]) == 1
    assert "cpu_model of m4 is \"A test's chip\", of m4 'Apple M1'" in capsys.readouterr().err
    assert main(["predict", "m4", "--json"]) == 1
    assert "cpu_model of m4" in json.loads(capsys.readouterr().out)["error"]


def test_a_stale_ratio_exits_1(storage, capsys):
    edit(
        storage / "Linux-A/0001_m4.json",
        lambda d: d.update(datetime="2025-01-01T00:00:00+00:00"),
    )
    assert main(["ratio", "m4", "xeon"]) == 0
    assert main(["predict", "xeon"]) == 1
    assert "too old" in capsys.readouterr().err
    assert main(["predict", "xeon", "--max-age-days", "1e10"]) == 0


def test_a_run_is_found_by_its_path(storage):
    run = load_run(storage / "Linux-A/0001_m4.json")
    assert run.facts.name == "m4"
    assert [case.label for case in run.cases] == ["base-t1-vi_30s"]
