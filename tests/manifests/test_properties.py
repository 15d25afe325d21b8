"""Whatever the manifest and its layout: what was meant comes out, and nothing else."""

import contextlib
import difflib
import io
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support.deployments import EXAMPLE, SIZED, SMALL, all_data, deployment, update
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployment import Sized, updated_deployment

names = st.sampled_from(["a", "web", "log", "x-1"])
quantities = st.one_of(
    st.integers(0, 4),
    st.sampled_from(["1", "2", "500m", "2000m", "768Mi", "1Gi", "805306368", "x"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=90),
)
amounts = st.dictionaries(st.sampled_from(["cpu", "memory", "ephemeral-storage"]), quantities)
variables = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["OMP_NUM_THREADS", "WHISPER_THREADS", "A", "B"])},
        optional={"value": st.sampled_from(["", "1", "2", 2, None])},
    ),
    unique_by=lambda item: item["name"],
)
others = st.dictionaries(
    st.sampled_from(["args", "tty", "zone", "lines"]), st.lists(scalars) | scalars
)


@st.composite
def containers(draw, name=names):
    owned = st.fixed_dictionaries(
        {"name": name},
        optional={
            "image": names,
            "env": variables,
            "resources": st.dictionaries(
                st.sampled_from(["requests", "limits", "claims"]), amounts
            ),
        },
    )
    keys = draw(owned) | draw(others)
    return {key: keys[key] for key in ["name", *draw(st.permutations([*keys][1:]))]}


@st.composite
def manifests(draw):
    """The text of a manifest in a layout of ruamel's or JSON's."""
    pods = draw(st.lists(containers(), max_size=2, unique_by=lambda container: container["name"]))
    pods.insert(draw(st.integers(0, len(pods))), draw(containers(st.just("whisper"))))
    pod = {"template": {"spec": {"containers": pods}}}
    spec = draw(st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 9)})) | draw(others)
    notes = st.dictionaries(st.sampled_from(["whisper-bench/ratio", "o/p"]), st.just("1") | names)
    metadata = draw(st.fixed_dictionaries({}, optional={"name": names, "annotations": notes}))
    fields = spec | pod
    ordered = {key: fields[key] for key in draw(st.permutations([*fields]))}
    data = {"kind": "Deployment", "metadata": metadata, "spec": ordered}
    if draw(st.booleans()):
        return json.dumps(data, indent=draw(st.sampled_from([None, 2, 4])), ensure_ascii=False)
    writer = YAML()
    # [a: 1] would be refused: there are no braces to write into
    writer.brace_single_entry_mapping_in_flow_sequence = True
    dash = draw(st.integers(0, 2))
    step = draw(st.integers(1, 6))
    writer.indent(mapping=step, sequence=dash + draw(st.integers(2, 3)), offset=dash)
    writer.width = draw(st.sampled_from([20, 80, 4000]))
    writer.default_flow_style = draw(st.sampled_from([False, False, None, True]))
    stream = io.StringIO()
    writer.dump(data, stream)
    return stream.getvalue()


sizings = st.builds(
    Sized,
    replicas=st.integers(1, 9),
    cpu=st.integers(1, 3),
    memory_mib=st.sampled_from([768, 1024]),
    threads=st.integers(1, 3),
    annotations=st.dictionaries(
        st.sampled_from(["whisper-bench/ratio", "whisper-bench/sizing"]),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
    ),
)


@settings(max_examples=60, deadline=None)
@given(manifests(), sizings, st.sampled_from(["\n", "\r\n"]))
def test_any_manifest_gets_exactly_the_sized_values(text, sized, line_end):
    text = text.replace("\n", line_end)
    assert all_data(text)  # what ruamel has written, it can read
    update(text, sized, container="whisper")


def taken_out(old, new):
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    return [line for _, start, end, _, _ in changes for line in old.splitlines()[start:end]]


COMMENT = "#: {number}  'odd\" spacing  "


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, EXAMPLE.read_text().count("\n"))), sizings, st.booleans())
def test_comments_anywhere_are_kept(places, sized, behind):
    """Comments and blank lines between any two lines, or behind any, are there afterwards."""
    lines = EXAMPLE.read_text().split("\n")
    for number in places:
        comment = COMMENT.format(number=number)
        lines[number] += f"  {comment}" if behind and lines[number] else f"\n\n{comment}"
    text = "\n".join(lines)
    new = update(text, sized)
    assert re.findall("#:.*", new) == re.findall("#:.*", text)
    assert all(
        re.match(r"\s*(replicas|value|cpu|memory|whisper-bench/\w+):", line)
        for line in taken_out(text, new)
    )


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from(" \t\n-:{}[]&*!|>'\"#%?<,ab1~") | st.characters(), max_size=40))
def test_any_text_is_edited_or_refused(text):
    for whole in (text, deployment(spec=text), SMALL.replace("api:1", text)):
        with contextlib.suppress(BenchError):
            new = updated_deployment(whole, SIZED, "d.yaml")
            assert updated_deployment(new, SIZED, "d.yaml") == new
