"""The Deployment edited in place: only what the sizing owns, the rest byte for byte."""

import difflib
import re

import pytest

from support.deployments import (
    BARE,
    EXAMPLE,
    SIZED,
    SMALL,
    SMALL_SIZED,
    all_data,
    deployment,
    update,
)
from whisper_bench.manifests.deployment import Sized, deployment_diff, updated_deployment


def pieces(old, new):
    """Return the lines taken out and the lines put in."""
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return [line[2:] for line in lines if line[0] == "-"], [
        line[2:] for line in lines if line[0] == "+"
    ]


def test_the_small_deployment_is_sized_as_recorded():
    assert update(SMALL) == SMALL_SIZED


def test_only_values_change_if_no_key_was_missing():
    old, new = SMALL.splitlines(), update(SMALL).splitlines()
    assert len(old) == len(new)
    changed = [before.strip() for before, after in zip(old, new, strict=True) if before != after]
    assert len(changed) == 6
    assert all(re.search("replicas|value|cpu|memory", line) for line in changed)


def test_the_shipped_deployment_changes_only_in_sized_values():
    old = EXAMPLE.read_text()
    out, came = pieces(old, update(old, SIZED))
    assert [line.strip() for line in out] == [
        "replicas: 2",
        *['value: "1"'] * 2,
        *['cpu: "1"', "memory: 1Gi"] * 2,
    ]
    assert [line.strip() for line in came] == [
        "annotations:",
        'whisper-bench/sizing: "2 rps, p95 <= 5 s"',
        'whisper-bench/ratio: "2.46"',
        "replicas: 7",
        *['value: "2"'] * 2,
        *['cpu: "2"', "memory: 768Mi"] * 2,
    ]


def test_annotations_are_written_and_others_stay():
    text = deployment(metadata="  annotations:\n    a/b: 'c'\n    whisper-bench/ratio: '1'\n")
    new = update(text, SIZED)
    assert (
        "  annotations:\n    a/b: 'c'\n    whisper-bench/ratio: '2.46'\n"
        '    whisper-bench/sizing: "2 rps, p95 <= 5 s"\nspec:' in new
    )
    assert "annotations" not in update(deployment())


def test_another_thread_variable_is_written():
    new = update(SMALL, thread_variable="CT2_THREADS")
    assert "{name: WHISPER_THREADS, value: '1'}" in new
    assert '        - name: CT2_THREADS\n          value: "2"\n        resources:' in new


def test_the_openmp_variable_is_written_once():
    new = update(deployment(), thread_variable="OMP_NUM_THREADS")
    assert new.count("OMP_NUM_THREADS") == 1


def test_numbers_become_strings_if_kubernetes_needs_strings():
    text = SMALL_SIZED.replace('value: "2"', "value: 2").replace("replicas: 7", 'replicas: "7"')
    assert updated_deployment(text, BARE, "d.yaml") == SMALL_SIZED


@pytest.mark.parametrize(
    "value", ["a: \"b\" 'c'", "é → 3 🙂", "line\nline\u2028\u0085 \t", "1", "~", "", " a #b"]
)
@pytest.mark.parametrize(
    "before", ["", "    x/y: old\n", "    x/y: 'old'\n", "    x/y: |\n      o\n"]
)
def test_any_annotation_is_read_back_unchanged(value, before):
    sized = Sized(1, 1, 64, 1, {"x/y": value})
    metadata = f"  annotations:\n    z: 1  # z\n{before}"
    new = update(deployment(metadata=metadata), sized)
    assert all_data(new)[0]["metadata"]["annotations"] == {"z": 1, "x/y": value}


def test_a_deployment_with_the_wanted_values_is_unchanged():
    assert update(SMALL_SIZED) is SMALL_SIZED


@pytest.mark.parametrize("cpu", ["2", "'2'", '"2000m"', "2000m", "2.0", "2e0", "0.002k"])
@pytest.mark.parametrize("memory", ["768Mi", "'768Mi'", "805306368", "0.75Gi", "786432Ki"])
def test_quantities_of_the_same_value_are_unchanged(cpu, memory):
    text = SMALL_SIZED.replace('"2"\n', f"{cpu}\n").replace("768Mi,", f"{memory},")
    text = text.replace(f"value: {cpu}", 'value: "2"')
    assert cpu in text
    assert memory in text
    assert update(text) is text


@pytest.mark.parametrize("text", ["2.46", "yes", "0x1F", "null", "~", "010", "y"])
def test_plain_text_that_is_not_a_string_is_quoted(text):
    sized = Sized(1, 1, 64, 1, {"x/y": text})
    new = updated_deployment(
        deployment(metadata=f"  annotations:\n    x/y: {text}\n"), sized, "d.yaml"
    )
    assert f'    x/y: "{text}"\n' in new


@pytest.mark.parametrize(
    "value", ["a b", "2.46 [2.4, 2.5]", "'2.46'", "2026-11-24", "1:30", "!!str 1"]
)
def test_plain_text_that_is_a_string_stays(value):
    metadata = f"  annotations: {{x: 1}}\n  labels:\n    a: {value}\n"
    (data,) = all_data(deployment(metadata=metadata))
    sized = Sized(1, 1, 64, 1, {"x/y": str(data["metadata"]["labels"]["a"])})
    text = updated_deployment(
        deployment(metadata=f"  annotations:\n    x/y: {value}\n"), sized, "d.yaml"
    )
    assert f"    x/y: {value}\n" in text


def test_an_invalid_quantity_is_replaced():
    assert update(SMALL.replace("1Gi, eph", "1GB, eph")) == SMALL_SIZED


def test_the_diff_shows_changed_lines():
    assert deployment_diff("a\nb\r\n", "a\nc\r\n", "d.yaml") == [
        "--- d.yaml",
        "+++ d.yaml (sized)",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]


def test_the_diff_of_equal_texts_is_empty():
    assert deployment_diff(SMALL, SMALL, "d.yaml") == []
