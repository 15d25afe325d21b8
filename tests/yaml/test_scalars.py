"""What single YAML values mean to Kubernetes: a table, and a real kubectl's word on it."""

import json

import pytest

from support.clusters import Kubectl
from whisper_bench.yaml.parse import parse

HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  x:\n"
READ = {
    "0": 0, "7": 7, "010": 8, "0o10": 8, "0O10": 8, "0x10": 16, "0X1F": 31, "0b11": 3, "-0b11": -3,
    "-010": -8, "+010": 8, "+5": 5, "1_000": 1000, "1__0": 10, "_1": "_1", "1_": 1, "09": 9,
    "0_7": 7, "0o8": "0o8", "0x_10": 16, "0x": "0x", "0b": "0b", "1e3": 1000, "1E+3": 1000,
    "2.0": 2, "2.5": 2.5, ".5": 0.5, "1.": 1, "-.5": -0.5, ".5e1": 5, "1_0.5": 10.5, "1e400": "1e400",
    "0x1p4": "0x1p4", ".": ".", "+": "+", "12e": "12e", "1,000": "1,000", "1:30": "1:30",
    "yes": True, "Yes": True, "yEs": "yEs", "on": True, "y": True, "Y": True, "no": False, "n": False,
    "Off": False, "true": True, "tRUE": "tRUE", "~": None, "null": None, "nUll": "nUll", "NULL": None,
    "2026-11-24": "2026-11-24", "2026-99-99": "2026-99-99", "=": "=", "<<": "<<", "1Gi": "1Gi",
    "100m": "100m", "1e-7": 1e-07, "1e21": 1e21, "inf": "inf", "nan": "nan", "a#b": "a#b",
    "'010'": "010", '"yes"': "yes", "!!str 1": "1", "!!str ~": "~", '!!int "010"': 8, "!!int 0x1_0": 16,
    "!!float 1": 1, '!!bool "yes"': True, '!!null ""': None, "!!binary aGk=": "hi", "!Ref x": "x",
    "! 1": "1", "!!foo 1": "1", "!!timestamp 2026-11-24": "2026-11-24", "!!value =": "=",
    "0" * 70 + "7": 7, "9" * 30: float("9" * 30), "0x" + "f" * 80: "0x" + "f" * 80,
}  # fmt: skip
REFUSED = {
    ".inf": ".inf cannot be written as JSON", "-.Inf": "-.Inf cannot be written as JSON",
    ".nan": ".nan cannot be written as JSON", "!!int 3.5": "'3.5' is not a !!int",
    '!!float "x"': "'x' is not a !!float", "!!bool x": "'x' is not a !!bool",
    "!!null x": "'x' is not a !!null", "!!timestamp x": "'x' is not a !!timestamp",
    '!!binary "!"': "a !!binary value is not base64", '!!int ""': "'' is not a !!int",
}  # fmt: skip


def ours(text):
    (document,) = parse(f"{HEAD}  - {text}\n", "d.yaml")
    return document.data["spec"]["x"][0]


@pytest.mark.parametrize("text", READ)
def test_a_value_is_what_kubernetes_reads(text):
    assert ours(text) == READ[text]
    assert type(ours(text)) is type(READ[text])


@pytest.mark.parametrize("text", REFUSED)
def test_a_value_that_kubernetes_does_not_read_is_refused(text):
    with pytest.raises(Exception, match="Kubernetes cannot read this") as refused:
        ours(text)
    assert f"d.yaml, line 6: Kubernetes cannot read this: {REFUSED[text]}" in str(refused.value)


@pytest.fixture
def kubectl_reads(apiserver):
    """What kubectl makes of a text, before a server has a say; its message where it refuses."""

    def read(text):
        flags = ["--dry-run=client", "--validate=false", "--output=json", "--filename=-"]
        done = Kubectl(apiserver).tried("create", *flags, manifest=text)
        return done.stderr if done.returncode else json.loads(done.stdout)

    return read


def test_the_table_agrees_with_kubectl(kubectl_reads):
    text = HEAD + "".join(f"  - {value}\n" for value in READ)
    assert dict(zip(READ, kubectl_reads(text)["spec"]["x"], strict=True)) == READ


@pytest.mark.parametrize("text", REFUSED)
def test_kubectl_refuses_what_we_refuse(kubectl_reads, text):
    assert "error converting YAML to JSON" in kubectl_reads(f"{HEAD}  - {text}\n")


TABS = {
    "value": ("  x: 3\t\n", 3), "comment": ("  x: 3\t# c\n", 3), "both": ("  x: 3 \t # c\n", 3),
    "colon": ("  x:\t3\n", 3), "before": ("  x\t: 3\n", 3), "word": ("  x: a\tb\n", "a\tb"),
    "quoted": ('  x: "a"\t# c\n', "a"), "block": ("  x: |\t# c\n    a\n", "a\n"),
    "keep": ("  x: >2+ \t\n      a\n\n", "  a\n\n"), "strip": ("  x: |-\t\n    a\n", "a"),
    "anchor": ("  x: &a\t3\n", 3), "flow": ("  x: [a\t,\tb]\n", ["a", "b"]),
    "lines": ("  x: a\n   b\n\n   c\t\n", "a b\nc"),
}  # fmt: skip
MERGES = {
    "first": ("  m: &m {a: 2, b: 3}\n  x:\n    <<: *m\n    a: 1\n", {"a": 1, "b": 3}),
    "list": ("  m: &m {a: 2}\n  o: &o {a: 5, b: 1}\n  x:\n    <<: [*m, *o]\n", {"a": 2, "b": 1}),
    "two": ("  m: &m {a: 2}\n  o: &o {a: 5}\n  x:\n    <<: *m\n    <<: *o\n", {"a": 5}),
    "quoted": ("  x:\n    '<<': {a: 1}\n", {"<<": {"a": 1}}),
    "tagged": ("  x:\n    !!merge '<<': {a: 1}\n", {"a": 1}),
}  # fmt: skip
KEYS = {
    "keys": ("  x: {1: a, true: b, 1.5: c, 010: e}\n", {"1": "a", "true": "b", "1.5": "c", "8": "e"}),
    "date": ("  x: {2026-11-24: a}\n", {"2026-11-24": "a"}),
    "tags": ("  x: !local [!!set {a}]\n", [{"a": None}]),
    "again": ("  a: &a 1\n  b: &a 2\n  x: *a\n", 2),
    "equals": ("  x: ['!=', =, =~]\n", ["!=", "=", "=~"]),
    "separator": ('  x: "a\u2028b"\n', "a\u2028b"), "dots": ("  x: 1\n...\n", 1),
    "crlf": ("  x: 1\r\n", 1), "emoji": ("  x: \U0001f600\n", "\U0001f600"),
}  # fmt: skip
SHAPES = TABS | MERGES | KEYS
NOT_READ = {
    "tab line": ("  x: 3\n\t\n  y: 4\n", "line 6"), "tab indent": ("  x: a\n\tb\n", "line 6"),
    "tab dash": ("  x:\n  -\ta\n", "column 4"), "directive": ("%YAML 1.2\n---\n", "%YAML"),
    "merge text": ("  x:\n    <<: 1\n", "<< is not a mapping"), "text": ("--- a\n", "stands after ---"),
    "null key": ("  ~: a\n", "a key is null"), "list key": ("  ? [a]\n  : b\n", "a key is a mapping or a list"),
    "alias": ("  x: *z\n", "*z"), "itself": ("  x: &x\n    y: *x\n", "*x"),
    "control": ("  x: \x01\n", "#x0001"), "at": ("  x: @a\n", "'@'"),
    "block": ("  x: |a\n    b\n", "expected a comment"),
}  # fmt: skip
STRICTER = {
    "twice": ("  x: 1\n  x: 2\n", '"x" is written twice, first in line 5'),
    "twice in meaning": ("  x: {1: a, '1': b}\n", '"1" is written twice'),
    "below": ("  m: &m {a: 2}\n  x:\n    a: 1\n    <<: *m\n", '"a" is written in line 7'),
    "separator": ("  x: 1 # c\u2028  y: 2\n", "U+2028"),
    "after dots": ("  x: 1\n...\nkind: B\n", "a second document begins"),
}
"""Where kubectl silently takes one of two readings."""
SPEC = HEAD.removesuffix("  x:\n")


@pytest.mark.parametrize("name", SHAPES)
def test_a_layout_is_read_as_kubernetes_reads_it(name):
    text, value = SHAPES[name]
    (document,) = parse(SPEC + text, "d.yaml")
    assert document.data["spec"]["x"] == value


@pytest.mark.parametrize("name", NOT_READ | STRICTER)
def test_a_layout_that_is_not_read_is_refused_with_its_place(name):
    text, fault = (NOT_READ | STRICTER)[name]
    whole = text + SPEC if text.startswith(("%", "---")) else SPEC + text
    with pytest.raises(Exception, match="d.yaml") as refused:
        parse(whole, "d.yaml")
    assert fault in str(refused.value)


@pytest.mark.parametrize("name", SHAPES)
def test_kubectl_reads_the_layouts_as_we_do(kubectl_reads, name):
    text, value = SHAPES[name]
    assert kubectl_reads(SPEC + text)["spec"]["x"] == value


@pytest.mark.parametrize("name", NOT_READ)
def test_kubectl_refuses_the_layouts_that_we_refuse(kubectl_reads, name):
    text, _ = NOT_READ[name]
    whole = text + SPEC if text.startswith(("%", "---")) else SPEC + text
    assert "error" in kubectl_reads(whole)


@pytest.mark.parametrize(
    "text", ["", "# c\n", "null\n", "---\n~\n", "\ufeff\n", "---\n...\n", "\n---\n"]
)
def test_an_empty_document_is_none(text):
    assert parse(text, "d.yaml") == []
    assert [document.data for document in parse(f"{text}---\na: 1\n", "d.yaml")] == [{"a": 1}]


def test_aliases_that_make_a_small_file_huge_are_refused():
    lines = ["  a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)]
    with pytest.raises(Exception, match="aliases written out it has more than 1000000 values"):
        parse(SPEC + "".join(lines), "d.yaml")
