"""Fields that were missing come in the layout of the file; what is odd in it stays."""

import json

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
from whisper_bench.manifests.deployment import updated_deployment


def test_every_missing_key_is_added():
    assert update(deployment("          image: api:1  # pinned\n"), SIZED) == (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n"
        "  annotations:\n"
        '    whisper-bench/sizing: "2 rps, p95 <= 5 s"\n'
        '    whisper-bench/ratio: "2.46"\n'
        "spec:\n"
        "  replicas: 7\n"
        "  template:\n    spec:\n      containers:\n        - name: api\n"
        "          image: api:1  # pinned\n"
        "          env:\n"
        "            - name: OMP_NUM_THREADS\n"
        '              value: "2"\n'
        "            - name: WHISPER_THREADS\n"
        '              value: "2"\n'
        "          resources:\n"
        "            requests:\n"
        '              cpu: "2"\n'
        "              memory: 768Mi\n"
        "            limits:\n"
        '              cpu: "2"\n'
        "              memory: 768Mi\n"
    )


def test_keys_are_added_in_the_usual_order():
    text = deployment(
        "          image: a\n          ports:\n            - containerPort: 1\n"
        "          # probes\n          readinessProbe: {}\n",
        spec="  # which Pods\n  selector: {}\n",
    )
    new = update(text)
    assert "spec:\n  replicas: 7\n  # which Pods\n  selector: {}\n" in new
    assert "            - containerPort: 1\n          env:\n" in new
    assert "              memory: 768Mi\n          # probes\n          readinessProbe" in new


def test_a_mapping_at_the_end_of_a_document_is_filled():
    text = deployment("          resources:\n            requests:\n              cpu: '1'\n")
    assert update(text).endswith(
        "            requests:\n              cpu: '2'\n              memory: 768Mi\n"
        '            limits:\n              cpu: "2"\n              memory: 768Mi\n'
    )


def test_env_and_resources_added_after_the_same_line_keep_their_order():
    text = deployment(env="          env:\n            - name: A\n              value: b\n")
    new = update(text)
    assert new.index("name: A") < new.index("WHISPER_THREADS") < new.index("resources:")


@pytest.mark.parametrize("nothing", ["", " {}", " null", " ~", " { }", " &a {}"])
def test_empty_resources_are_filled_and_keep_their_comment(nothing):
    new = update(deployment(f"          resources:{nothing}  # none yet\n          tty: true\n"))
    assert "# none yet\n" in new
    assert new.endswith("          tty: true\n")


def test_what_was_empty_is_filled_on_lines_of_its_own():
    text = deployment("          resources: {}  # none yet\n          env: []\n")
    assert update(text).endswith(
        "          resources:  # none yet\n            requests:\n"
        '              cpu: "2"\n              memory: 768Mi\n            limits:\n'
        '              cpu: "2"\n              memory: 768Mi\n'
        "          env:\n            - name: OMP_NUM_THREADS\n"
        '              value: "2"\n            - name: WHISPER_THREADS\n'
        '              value: "2"\n'
    )


@pytest.mark.parametrize("env", [" []", "", " [ ]", "\n            []", " [] # c", "  # c\n\n # d"])
def test_an_empty_env_is_filled(env):
    update(deployment(f"          env:{env}\n          tty: true\n"))


@pytest.mark.parametrize("value", ["", " ~", " &v", " # c", " &v 3", " !!int 3"])
def test_an_empty_or_tagged_value_is_replaced(value):
    new = updated_deployment(deployment(spec=f"  replicas:{value}\n"), BARE, "d.yaml")
    assert all_data(new)[0]["spec"]["replicas"] == 7
    assert value.rstrip("3~") in new


def test_a_variable_without_value_gets_one():
    text = deployment(env="          env:\n            - name: OMP_NUM_THREADS # n\n")
    assert '- name: OMP_NUM_THREADS # n\n              value: "2"\n' in update(text)


def test_missing_metadata_is_added():
    text = deployment().replace("metadata:\n  name: api\n", "")
    assert "kind: Deployment\nmetadata:\n  annotations:\n" in update(text, SIZED)


def test_names_are_not_repeated():
    assert update(deployment()).count("name: api") == 2


def test_an_indentation_of_four_spaces_is_kept():
    text = (
        "kind: Deployment\nmetadata:\n    name: a\nspec:\n    template:\n        spec:\n"
        "            containers:\n            -   name: b\n                image: c\n"
    )
    assert update(text).endswith(
        "            -   name: b\n                image: c\n                env:\n"
        '                -   name: OMP_NUM_THREADS\n                    value: "2"\n'
        '                -   name: WHISPER_THREADS\n                    value: "2"\n'
        "                resources:\n                    requests:\n"
        '                        cpu: "2"\n                        memory: 768Mi\n'
        '                    limits:\n                        cpu: "2"\n'
        "                        memory: 768Mi\n"
    )


@pytest.mark.parametrize(
    "item",
    [
        "          - name: A\n",
        "          -   name: A\n",
        "          - &a name: A\n",
        "          - &a\n            name: A\n",
        "          -\n            name: A\n",
        "          - # c\n             name: A\n",
        "          - {name: A}\n",
        "          - name: A\n            value: |\n              text\n\n",
        "          - ? name\n            : A\n",
    ],
)
def test_an_item_is_added_in_the_layout_of_the_others(item):
    new = update(deployment(env=f"          env:\n{item}          tty: true\n"))
    assert item.rstrip("\n") in new
    assert new.count("\n          -") == 3


def test_a_document_in_braces_is_edited():
    text = (
        "{kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: ["
        "{name: b, env: [{name: A}], resources: {limits: }}]}}}}"
    )
    update(text, SIZED)


def test_braces_inside_a_block_are_edited():
    text = deployment("          resources: {limits: {}, requests: {cpu: 1,}}\n")
    assert (
        'resources: {limits: {cpu: "2", memory: 768Mi}, requests: {cpu: "2", memory: 768Mi,}}\n'
        in update(text)
    )


@pytest.mark.parametrize("indent", [None, 2, 4])
@pytest.mark.parametrize("memory", ["1Gi", 1])
def test_json_stays_json(indent, memory):
    data = all_data(SMALL)[0]
    data["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "limits": {"memory": memory, "cpu": 1}
    }
    new = update(json.dumps(data, indent=indent), SIZED)
    assert json.loads(new) == all_data(new)[0]


def test_a_missing_final_newline_stays_missing():
    for text in (SMALL.rstrip("\n"), deployment().rstrip("\n")):
        new = update(text, SIZED)
        assert not new.endswith("\n")
        assert new + "\n" == update(text + "\n", SIZED)


@pytest.mark.parametrize(
    ("text", "line_end"),
    [
        *((text, "\r\n") for text in (SMALL, deployment(), EXAMPLE.read_text())),
        *((text, "\r") for text in (SMALL, deployment())),
    ],
)
def test_line_ends_are_kept(text, line_end):
    new = update(text.replace("\n", line_end), SIZED)
    assert new == update(text, SIZED).replace("\n", line_end)


def test_a_byte_order_mark_is_kept():
    assert update("\ufeff" + SMALL) == "\ufeff" + SMALL_SIZED
    assert update("\ufeff" + SMALL_SIZED) == "\ufeff" + SMALL_SIZED


def test_layouts_that_ruamel_would_change_are_kept():
    odd = (
        "# head\n\n%s\n" % ("#" * 200)
        + "a:   'x'   \n"
        + f'long: "{"word " * 60}"\n'
        + "list: [ 1,2 ,3 ]\n\n\n\ndate: 2026-11-24   # today\nyes: 0x1F\nfold: >-\n   a\n   b\n"
    )
    text = f"---\n{SMALL}{odd}...\n---\n# nothing\n---\nkind: Service   \n{odd}"
    new = update(text)
    assert new == text.replace(SMALL, SMALL_SIZED)


def test_documents():
    hpa = "kind: HorizontalPodAutoscaler\nspec:\n  replicas: 1\n"
    text = f"# first\n---\n{hpa}---\n{SMALL}--- # last\n{hpa}"
    assert update(text) == text.replace(SMALL, SMALL_SIZED)
