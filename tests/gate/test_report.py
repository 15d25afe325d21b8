"""What a gate leaves: lines, Markdown, JUnit's XML, JSON held to its schema, the job's summary."""

import json
import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from support.gates import Played, around, process
from whisper_bench.errors import BenchError
from whisper_bench.gate.files import add_to_job_summary, save_gate
from whisper_bench.gate.junit import gate_junit
from whisper_bench.gate.markdown import gate_markdown
from whisper_bench.gate.process import SideFailedError
from whisper_bench.gate.report import Answer, GateReport
from whisper_bench.gate.text import gate_lines

HOSTILE = "exit 1 | <b>&amp; `x` \x1b[31m\x00\nFAILED: a|b"


def steadied(report):
    """Give a report the times that a golden file can have."""
    began = report.began.replace(year=2026, month=1, day=2, hour=3, minute=4, second=5)
    return msgspec.structs.replace(report, began=began, elapsed_s=83.0)


@pytest.fixture
def passed():
    return steadied(Played(around(1.0), around(1.02)).gate())


@pytest.fixture
def failed():
    return steadied(Played(around(1.0), around(1.3, cpu_share=0.9)).gate())


@pytest.fixture
def contended():
    return steadied(Played(around(1.0, cpu_share=0.6), around(1.02, cpu_share=0.6)).gate())


@pytest.fixture
def crashed():
    def candidate(_):
        raise SideFailedError(HOSTILE)

    return steadied(Played(around(1.0), candidate).gate())


def test_text(golden, passed, failed, contended):
    golden("gate_passed.txt", gate_lines(passed))
    golden("gate_failed.txt", gate_lines(failed))
    golden("gate_contended.txt", gate_lines(contended))


def test_markdown(golden, failed, crashed):
    golden("gate_failed.md", gate_markdown(failed).splitlines())
    golden("gate_crashed.md", gate_markdown(crashed).splitlines())


def test_the_first_line_says_why(passed, failed, crashed):
    lines = [gate_markdown(item).partition("\n")[0] for item in (passed, failed, crashed)]
    assert re.match(r"## ✅ PASS: base-t1-vi_30s: not slower: \+\d\.\d % ", lines[0])
    assert re.match(r"## ❌ FAIL: base-t1-vi_30s: slower: \+\d\d\.\d % ", lines[1])
    assert lines[2].startswith("## ❌ FAIL: runs: the candidate image:suite:new: exit 1 \\|")


def test_what_differs_and_may_is_noted():
    changed = {"versions": {"ctranslate2": "5"}}
    report = Played(around(1.0), around(1.0, **changed)).gate()
    assert report.answer is Answer.PASS
    assert report.notes == ["versions.ctranslate2: 4 before, 5 now"]
    assert "note: versions.ctranslate2: 4 before, 5 now" in gate_lines(report)
    assert "- versions.ctranslate2: 4 before, 5 now" in gate_markdown(report)


def xml_of(report):
    root = ET.fromstring(gate_junit(report))  # noqa: S314 - our own, a moment ago
    (suite,) = root
    cases = {case.get("name"): case for case in suite}
    assert root.attrib.items() >= {"tests": str(len(suite)), "errors": "0"}.items()
    assert int(root.get("failures")) == sum(case.find("failure") is not None for case in suite)
    return root, cases


def test_junit_of_a_pass(passed):
    root, cases = xml_of(passed)
    assert root.get("failures") == "0"
    assert root.get("time") == "83.000"
    assert root[0].get("timestamp") == "2026-01-02T03:04:05+00:00"
    assert {"check: cases", "slowdown: base-t1-vi_30s", "answer"} <= set(cases)


def test_junit_of_a_fail(failed):
    _, cases = xml_of(failed)
    failure = cases["slowdown: base-t1-vi_30s"].find("failure")
    assert failure.get("type") == "FAIL"
    assert failure.get("message").startswith("slower: +")
    assert cases["answer"].find("failure") is not None
    assert cases["check: cases"].find("failure") is None


def test_junit_holds_what_a_process_prints(crashed):
    _, cases = xml_of(crashed)
    message = cases["check: runs"].find("failure").get("message")
    assert r"<b>&amp; `x` \x1b[31m\x00\nFAILED" in message
    assert message.endswith("FAILED: a|b")


def test_no_evidence_is_red_in_junit():
    noisy = Played(around(1.0, spread=0.2), around(1.0, spread=0.2, seed=2)).gate(most_pairs=4)
    assert noisy.answer is Answer.NO_EVIDENCE
    _, cases = xml_of(noisy)
    assert cases["answer"].find("failure").get("type") == "NO EVIDENCE"


def test_files(tmp_path, passed, failed):
    names = ["gate.json", "gate.md", "gate.xml"]
    assert [path.name for path in save_gate(failed, tmp_path / "new")] == names
    # over the older ones, so that a job's artifacts are the last gate's
    paths = save_gate(passed, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    kept = msgspec.json.decode(paths[0].read_bytes(), type=GateReport)
    assert kept == passed
    assert list(json.loads(paths[0].read_bytes()))[:2] == ["kind", "schema_version"]
    assert paths[1].read_text(encoding="utf-8") == gate_markdown(passed)


def test_nothing_is_written_that_could_not_be_read_again(tmp_path, passed):
    with pytest.raises(BenchError, match=r"gate\.json: limit is '10': Expected `float`.*; run the"):
        save_gate(msgspec.structs.replace(passed, limit="10"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_job_summary(tmp_path, passed):
    path = tmp_path / "summary"
    path.write_text("before\n")
    assert add_to_job_summary(passed, path) is None
    assert path.read_text(encoding="utf-8") == f"before\n{gate_markdown(passed)}"
    assert add_to_job_summary(passed, tmp_path / "none" / "summary").endswith(
        "summary: No such file or directory"
    )


def test_every_sample_is_kept():
    report = Played(lambda _: process(1.0, 1.1), lambda _: process(1.2, 1.3)).gate(most_pairs=4)
    first, second = report.turns[:2]
    assert (first.pair, first.side, second.side) == (1, "baseline", "candidate")
    assert first.samples[0].latency_s == [1.0, 1.1]
    assert len(report.turns) == 8
