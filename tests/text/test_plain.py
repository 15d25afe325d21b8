"""Foreign text never reaches a terminal, a CI job's page or a report as it is."""

import json
import sys
import unicodedata
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.foreign import HONEST, OTHER, changed, commands, left_in, main
from whisper_bench.cli.show import say, show_json, show_lines
from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import parsed
from whisper_bench.machine.identity import detect_chip, node_name
from whisper_bench.ratio.config import load_config
from whisper_bench.session.terminal import write_line
from whisper_bench.text.plain import plain, plain_json, quoted, readable

pytestmark = pytest.mark.usefixtures("one_parser")
HOSTILE = "\x1b[2J\x1b]0;x\x07\r\nFORGED\x9b1m\x7f\u202etxt\u2066\u200b\u2028\x85|`<b>"
SEEN = "FORGED"
"""What stands between the signs: it must be shown, and never begin a line."""
FREE_TEXT = ("node", "system", "release", "python_version")


def hidden_signs(text):
    """Return what moves a cursor, or hides or turns text, but for the ends of lines."""
    kinds = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
    return {sign for sign in text if sign != "\n" and unicodedata.category(sign) in kinds}


def _hostile(document, record):
    machine = document["machine_info"]
    machine.update(dict.fromkeys(FREE_TEXT, HOSTILE))
    machine["whisper_bench"]["cpu_model"] = f"chip {HOSTILE}"
    for benchmark in document["benchmarks"]:
        benchmark["name"] = HOSTILE
        record = benchmark["extra_info"]["whisper_bench"]
        record["weights"].update(source=HOSTILE, revision=HOSTILE, pinned=False)
        record["compute_type_in_use"] = HOSTILE
        record["cpu_limit"].update(source=HOSTILE, quota_group=HOSTILE, quota_trouble=HOSTILE)
        record["backend"].update(instruction_set=HOSTILE, sgemm=HOSTILE)
        record["versions"] = {HOSTILE: HOSTILE, "numpy": HOSTILE}
        record["environment"] = {HOSTILE: HOSTILE}
        record["transcript"] = HOSTILE


ALLOWED = ("--allow-mismatch=versions", "--allow-mismatch=compute_type_in_use")


@pytest.mark.parametrize("as_json", [False, True], ids=["lines", "json"])
@pytest.mark.parametrize("allow", [False, True], ids=["refused", "let_through"])
@pytest.mark.parametrize(
    "name", ["results", "throttling", "ratio", "matrix", "predict", "size", "gate", "collect"]
)
def test_no_command_prints_a_runs_text_unescaped(name, allow, as_json, home, capsys):
    path = changed(home, _hostile)
    words = commands(path, home)[name]
    if allow and name in {"ratio", "matrix", "predict"}:
        words += ALLOWED
    if as_json:
        words.append("--json")
    main(words)
    out, err = capsys.readouterr()
    assert hidden_signs(out + err) == set()
    assert not any(line.startswith(SEEN) for line in (out + err).splitlines())
    if as_json and out:
        json.loads(out)
    for file in left_in(home):
        if file.suffix in {".md", ".html", ".xml"}:
            assert hidden_signs(file.read_text(encoding="utf-8")) <= set(), file
            assert "<b>" not in file.read_text(encoding="utf-8"), file


def test_a_runs_foreign_text_is_shown_escaped(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = changed(tmp_path, _hostile)
    assert main(["ratio", str(OTHER), str(path), *ALLOWED]) == 0
    assert r"chip \x1b[2J\x1b]0;x\x07\r\nFORGED\x9b1m\x7f\u202etxt" in capsys.readouterr().out
    assert main(["ratio", str(OTHER), str(path)]) == 1
    assert r"versions.numpy: " in (err := capsys.readouterr().err)
    assert len(err.splitlines()) > 3, "our own lines stay lines"


def test_a_files_own_name_is_shown_escaped(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a\x1b[2J\nb\u202e.json", "latin\udcff.json"):
        for words in ([name], [name, "--json"]):
            assert main(["throttling", *words]) == 2
            out, err = capsys.readouterr()
            assert hidden_signs(out + err) == set()
            assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Intel(R) Xeon(R) Platinum 8488C", "tiếng Việt", "tie\u0302\u0301ng Vie\u0323\u0302t", "汉字",
        "हिन्दी", "می\u200cروم", "👩\u200d💻", "عربي", "\N{MULTIPLICATION SIGN} ± …", "a\u00a0b", "\u3000",
    ],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(text):
    assert plain(text) == text


@given(st.text(st.characters()))
def test_any_text_becomes_one_line_without_hidden_signs(text):
    line = plain(text)
    assert len(line.splitlines()) <= 1
    assert hidden_signs(line) <= {"\u200c", "\u200d"}
    assert plain(line) == line
    line.encode()


@given(st.dictionaries(st.text(), st.text()))
def test_escaped_json_has_the_same_meaning_and_no_hidden_signs(document):
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=2)):
        shown = plain_json(text)
        assert json.loads(shown) == document
        assert hidden_signs(shown) <= {"\u200c", "\u200d"}


def test_a_quoted_value_is_cut():
    assert quoted("a\nb") == r"'a\nb'"
    assert quoted("x" * 81) == f"'{'x' * 80}...' (81 characters)"


def test_an_error_has_no_lines_but_its_own():
    error = BenchError("a\nb", "  c\x1b")
    assert str(error) == "a\\nb\n  c\\x1b"


@pytest.mark.parametrize("words", [["ratio", "a", "b", "--all"], ["size", "a"], ["results", "a"]])
def test_an_unknown_option_is_shown_escaped(words, capsys):
    with pytest.raises(SystemExit):
        main([*words, f"--{HOSTILE}"])
    err = capsys.readouterr().err
    assert hidden_signs(err) == set()
    assert not any(line.startswith(SEEN) for line in err.splitlines())


def test_a_gates_side_is_escaped_to_one_line_in_its_files(home):
    words = ["gate", f"command:{HOSTILE}\udcff", "command:false", f"--results={home}"]
    assert main(words) == 3
    report = json.loads((home / "gate.json").read_text(encoding="utf-8"))
    assert not hidden_signs(report["checks"][0]["message"].splitlines()[0])
    assert r"\udcff" in report["checks"][0]["message"].splitlines()[0]


def test_a_ratio_is_written_for_a_run_whose_folder_is_not_utf_8(home, capsys):
    if sys.platform != "linux":
        pytest.skip("only Linux takes a file's name that is not UTF-8")
    path, out = home / "l\udcff" / "0001_x\udcff.json", home / "out"
    path.parent.mkdir()
    path.write_bytes(HONEST.read_bytes())
    assert main(["ratio", str(OTHER), str(path), f"--results={out}"]) == 0
    kept = out / "ratio_config.json"
    assert load_config(kept).target.name == r"x\xff"
    words = ["predict", str(OTHER), f"--ratio-config={kept}", "--max-age-days=99999"]
    assert main(words) == 0
    capsys.readouterr()


def test_a_node_or_chip_name_that_is_not_utf_8_is_recorded_in_hex(monkeypatch):
    monkeypatch.setenv("WHISPER_BENCH_NODE", "n\udcff")
    assert node_name() == r"n\xff"
    assert detect_chip("chip\udcff").cpu_model == r"chip\xff"
    assert readable("Xeon") == "Xeon"


def test_lines_and_json_are_printed_escaped(capsys):
    show_lines(["a\tb\nc", "\udcff"])
    say("a\r\x1b")
    show_json({"a": "\u202e\x7f\x85"})
    show_json({"a": "\udcff"})
    out, err = capsys.readouterr()
    assert out.startswith("a\tb\\nc\n\\udcff\n")
    assert hidden_signs(out) == {"\t"}
    assert r"\u202e\u007f\u0085" in out
    assert r"\udcff" in out.splitlines()[-2]
    assert err == "a\\r\\x1b\n"


def test_the_plugins_lines_are_printed_escaped():
    class Reporter:
        written = StringIO()

        def write_line(self, line, **markup):
            self.written.write(f"{line}{markup}\n")

    reporter = Reporter()
    write_line(reporter, "a\x1b\nb", red=True)
    assert reporter.written.getvalue() == "a\\x1b\\nb{'red': True}\n"


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        (b'{"a": {"b": [1, "x"]}}', "a.b[1] is 'x': Expected `int`, got `str`"),
        (b'{"a": {"b": [1, {"c": 1}]}}', "a.b[1]: Expected `int`, got `object`"),
        (b'{"a": {"b": [1, null]}}', "a.b[1] is null: Expected `int`"),
        (b'{"a": {"\xc3\xa9.[": [1, "\\u001b"]}}', "a[...][1]: Expected `int`"),
        (b"7", "Expected `object`, got `int`"),
    ],
)
def test_a_broken_field_is_named_with_its_value(content, printed):
    with pytest.raises(BenchError) as caught:
        parsed(content, dict[str, dict[str, list[int]]], "m4.json", "measure again")
    message = str(caught.value)
    assert message.startswith("m4.json: ")
    assert "; measure again" in message
    assert printed.partition(": ")[2] in message
