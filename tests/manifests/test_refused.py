"""Which container is sized, and why a manifest is refused: the place, the value and the remedy."""

import pytest

from support.deployments import SMALL, deployment, refused, update

TWO = deployment(
    "          image: a\n        - name: {name}\n          image: b\n",
)


def assert_refused(text, *parts, **options):
    """Assert that a manifest is refused with a message that has all of the parts."""
    message = refused(text, **options)
    for part in ("d.yaml", *parts):
        assert part in message


def test_the_only_container_is_sized_whatever_its_name():
    assert "OMP_NUM_THREADS" in update(deployment())


def test_the_container_named_whisper_is_sized():
    new = update(TWO.format(name="my-Whisper").replace("W", "w"))
    assert new.index("my-whisper") < new.index("OMP_NUM_THREADS")


def test_the_container_of_the_option_is_sized():
    new = update(TWO.format(name="b"), container="api")
    assert new.index("OMP_NUM_THREADS") < new.index("name: b")


def test_several_containers_without_the_option_are_refused():
    assert_refused(TWO.format(name="b"), "several containers (api, b)", "--container NAME")


def test_two_containers_named_whisper_are_refused():
    text = TWO.format(name="whisper-b").replace(
        "name: api\n          im", "name: whisper-a\n          im"
    )
    assert "(whisper-a, whisper-b)" in refused(text)


def test_a_container_that_does_not_exist_is_refused():
    assert_refused(TWO.format(name="b"), "--container c: ", "name one of: api, b", container="c")


def test_init_containers_are_not_changed():
    init = "      initContainers:\n        - name: whisper-weights\n          image: w\n"
    text = deployment() + init
    assert update(text).endswith(init)
    assert_refused(text, "name one of: api", container="whisper-weights")


def test_two_containers_of_one_name_are_refused():
    path = "line 11: spec.template.spec.containers[api] "
    assert_refused(TWO.format(name="api"), path, "twice (lines 9 and 11); keep one")


@pytest.mark.parametrize("name", ["image: a", "name: 1", "name: yes", "name: [a]"])
def test_a_container_without_a_name_is_refused(name):
    text = deployment().replace("- name: api", f"- {name}")
    assert_refused(text, "spec.template.spec.containers has no name", "give it a name", "in quotes")


CHECK = "kubectl create --dry-run=client"
TEMPLATE = "template (Helm, Jinja): edit its values, or the rendered file"


@pytest.mark.parametrize(
    ("text", "place", "problem", "remedy"),
    [
        ("a: [", "document 1, line 1, column 5", "expected the node content", CHECK),
        (
            "a:\n\tb: 1\n",
            "document 1, line 2, column 1",
            "found character '\\t' that cannot start any token",
            "write spaces instead of the tab",
        ),
        (
            "---\n# c\n---\n" + SMALL.replace("  replicas: 1\n", "  replicas: 1\n  replicas: 2\n"),
            "line 10",
            'the key "replicas" is written twice, first in line 9',
            "keep one of them",
        ),
        ("a: *b\n", "line 1", "the alias *b has no complete anchor &b", "&b first"),
        (
            "{{ .Values.name }}: 1\n",
            "line 1",
            "a key is a mapping or a list",
            TEMPLATE,
        ),
        (
            "# {{ .Values }}\na: [\n",
            "document 1, line 3, column 1",
            "expected the node content",
            TEMPLATE,
        ),
        ("a: \x01", "document 1, from line 1", "unacceptable character #x0001", CHECK),
        ("[" * 1000, "document 1, from line 1", "maximum recursion", CHECK),
        ("a: !!int", "line 1", "'' is not a !!int", "write another value"),
        ("a: .inf", "line 1", ".inf cannot be written as JSON", "write another value"),
    ],
)
def test_yaml_that_cannot_be_read_is_refused_with_its_place(text, place, problem, remedy):
    message = refused(text)
    assert message.startswith(f"d.yaml, {place}")
    assert problem in message
    assert remedy in message
    assert (
        "Kubernetes cannot read this" in message
        or "YAML readers disagree on what this means" in message
        or "whisper-bench cannot read this YAML" in message
    )


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2\n", "a: 1\n<<: {a: 2}\n", "a: b\u2028c\n"],
    ids=["key twice", "merge below", "line end"],
)
def test_yaml_that_readers_disagree_on_is_not_called_broken(text):
    message = refused(text)
    assert "YAML readers disagree on what this means: " in message
    assert "Kubernetes cannot read" not in message


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", "none"),
        ("- 1\n", "none"),
        ("kind: Service\n---\nkind: [x]\n", "Service, none"),
        ("kind: Service\n---\nkind: List\n", "Service, List"),
        ("kind: List\nitems: [{kind: Service}, 1]\n", "Service"),
        ("kind: !!binary RGVwbG95\n", "Deploy"),
    ],
)
def test_a_manifest_without_a_deployment_is_refused(text, kinds):
    assert_refused(text, f"no document has kind: Deployment (the kinds are: {kinds}); pass the")


def test_several_deployments_are_refused():
    text = f"{SMALL}---\nkind: Deployment\n"
    assert_refused(text, "several Deployments (api, unnamed)", "a file of its own")


@pytest.mark.parametrize(
    "text",
    [
        "kind: Deployment\n",
        "kind: Deployment\nspec: 1\n",
        "kind: Deployment\nspec: {template: {spec: {containers: []}}}\n",
        "kind: Deployment\nspec: {template: {spec: {containers: {name: a}}}}\n",
    ],
)
def test_a_deployment_without_containers_is_refused(text):
    assert_refused(text, "no list spec.template.spec.containers", "name and image")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            deployment(spec="  replicas: {{ .Values.replicas }}\n")
            .replace("{{", "[[")
            .replace("}}", "]]"),
            "line 6: spec.replicas is a list and must be a single value",
        ),
        (
            deployment("          resources: [a]\n"),
            "line 10: spec.template.spec.containers[api].resources is a list and must be a mapping",
        ),
        (
            deployment("          resources: {limits: small}\n"),
            (
                "line 10: spec.template.spec.containers[api].resources.limits is a single value and "
                "must be a mapping"
            ),
        ),
        (
            deployment("          env: {A: b}\n"),
            "line 10: spec.template.spec.containers[api].env is a mapping and must be a list",
        ),
        (
            deployment("          resources: {limits: {cpu: {a: 1}}}\n"),
            "resources.limits.cpu is a mapping and must be a single value",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(text, message):
    assert_refused(text, f"{message}; write it as")


def test_a_thread_variable_with_value_from_is_refused():
    env = (
        "          env:\n            - text\n            - name: WHISPER_THREADS\n"
        "              valueFrom:\n                resourceFieldRef: {resource: limits.cpu}\n"
    )
    assert_refused(deployment(env=env), "line 12: the variable WHISPER_THREADS", "a plain value")
    assert "OTHER" in update(
        deployment(env=env.replace("            - text\n", "")), thread_variable="OTHER"
    )


def test_a_variable_that_is_written_twice_is_refused():
    env = "          env:\n" + "            - name: OMP_NUM_THREADS\n" * 2
    path = "line 12: spec.template.spec.containers[api].env[OMP_NUM_THREADS] is written twice"
    assert_refused(deployment(env=env), path, "keep one")


@pytest.mark.parametrize(
    "text",
    [
        # the lines that it keeps at its end would be cut off
        deployment("          args:\n            - |+\n              text\n\n"),
        # there are no braces to write into
        "kind: Deployment\nspec: {template: {spec: {containers: [name: a]}}}\n",
        # the column of the mapping is not that of its first key
        "kind: Deployment\nspec:\n  ? template\n  : spec: {containers: [{name: a}]}\n",
    ],
)
def test_a_layout_that_cannot_be_edited_safely_is_refused(text):
    assert_refused(text, "cannot be edited safely", "nothing was changed", "by hand")
