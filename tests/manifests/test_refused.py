"""Which container, and all that a Deployment is refused for, with its text."""

import pytest

from support.deployments import SMALL, deployment, refused, update

TWO = deployment(
    "          image: a\n        - name: {name}\n          image: b\n",
)


def test_only_one_whatever_its_name():
    assert "OMP_NUM_THREADS" in update(deployment())


def test_the_one_named_for_whisper():
    new = update(TWO.format(name="my-Whisper").replace("W", "w"))
    assert new.index("my-whisper") < new.index("OMP_NUM_THREADS")


def test_named():
    new = update(TWO.format(name="b"), container="api")
    assert new.index("OMP_NUM_THREADS") < new.index("name: b")


def test_none_chosen():
    assert refused(TWO.format(name="b")) == (
        "d.yaml: the Deployment has several containers (api, b); say which one serves Whisper "
        "with --container NAME"
    )


def test_two_for_whisper():
    text = TWO.format(name="whisper-b").replace(
        "name: api\n          im", "name: whisper-a\n          im"
    )
    assert "(whisper-a, whisper-b)" in refused(text)


def test_no_such():
    assert refused(TWO.format(name="b"), container="c") == (
        "d.yaml: --container c: there is no such container; it has api, b"
    )


def test_init_containers_are_left_alone():
    init = "      initContainers:\n        - name: whisper-weights\n          image: w\n"
    text = deployment() + init
    assert update(text).endswith(init)
    assert "there is no such container; it has api" in refused(text, container="whisper-weights")


def test_twice():
    assert refused(TWO.format(name="api")) == (
        "d.yaml, line 11: spec.template.spec.containers[api] is there twice (lines 9 and 11); "
        "keep one of them"
    )


def test_without_name():
    for name in ("image: a", "name: 1", "name: yes", "name: [a]"):
        assert refused(deployment().replace("- name: api", f"- {name}")) == (
            "d.yaml: a container in spec.template.spec.containers has no name, or one that is not "
            "text; give it a name (put a number, or a word such as yes, in quotes)"
        )


GAP = "(kubectl create --dry-run=client tells whether Kubernetes reads it)"


@pytest.mark.parametrize(
    ("text", "place", "problem", "remedy"),
    [
        ("a: [", "document 1, line 1, column 5", "expected the node content", GAP),
        (
            "a:\n\tb: 1\n",
            "document 1, line 2, column 1",
            "found character '\\t' that cannot start any token",
            "write spaces in the place of the tab",
        ),
        (
            "---\n# c\n---\n" + SMALL.replace("  replicas: 1\n", "  replicas: 1\n  replicas: 2\n"),
            "line 10",
            'the key "replicas" is there twice, first in line 9',
            "keep one of them",
        ),
        ("a: *b\n", "line 1", "the alias *b comes before the end of its anchor", "mend it there"),
        (
            "{{ .Values.name }}: 1\n",
            "line 1",
            "a key must be a single value, not a mapping or a list",
            "a template (Helm, Jinja) is edited in its values, or after it was rendered",
        ),
        (
            "# {{ .Values }}\na: [\n",
            "document 1, line 3, column 1",
            "expected the node content",
            "a template (Helm, Jinja) is edited in its values, or after it was rendered",
        ),
        ("a: \x01", "document 1, from line 1", "unacceptable character #x0001", GAP),
        ("[" * 1000, "document 1, from line 1", "maximum recursion", GAP),
        ("a: !!int", "line 1", "'' is not a !!int", "write another value"),
        ("a: .inf", "line 1", ".inf cannot be written as JSON", "write another value"),
    ],
)
def test_not_yaml_that_can_be_read(text, place, problem, remedy):
    message = refused(text)
    assert message.startswith(f"d.yaml, {place}")
    assert problem in message
    assert remedy in message
    assert (
        "Kubernetes does not read this" in message
        or "readers differ on what this means" in message
        or "not YAML that our reader can read" in message
    )


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2\n", "a: 1\n<<: {a: 2}\n", "a: b\u2028c\n"],
    ids=["key twice", "merge below", "line end"],
)
def test_what_kubectl_reads_in_one_of_two_ways_is_not_called_broken(text):
    message = refused(text)
    assert "readers differ on what this means: " in message
    assert "Kubernetes does not read" not in message


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
def test_no_deployment(text, kinds):
    assert refused(text) == (
        f"d.yaml: no document has kind: Deployment (the kinds are: {kinds}); name the "
        "Deployment's own file"
    )


def test_several():
    assert refused(f"{SMALL}---\nkind: Deployment\n") == (
        "d.yaml: it has several Deployments (api, unnamed); put the one that serves Whisper "
        "into a file of its own and name that"
    )


@pytest.mark.parametrize(
    "text",
    [
        "kind: Deployment\n",
        "kind: Deployment\nspec: 1\n",
        "kind: Deployment\nspec: {template: {spec: {containers: []}}}\n",
        "kind: Deployment\nspec: {template: {spec: {containers: {name: a}}}}\n",
    ],
)
def test_no_containers(text):
    assert refused(text) == (
        "d.yaml: the Deployment has no list spec.template.spec.containers; write at least "
        "name and image of the container that serves Whisper there"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            deployment(spec="  replicas: {{ .Values.replicas }}\n")
            .replace("{{", "[[")
            .replace("}}", "]]"),
            "line 6: spec.replicas is a list and should be a single value",
        ),
        (
            deployment("          resources: [a]\n"),
            "line 10: spec.template.spec.containers[api].resources is a list and should be a mapping",
        ),
        (
            deployment("          resources: {limits: small}\n"),
            (
                "line 10: spec.template.spec.containers[api].resources.limits is a single value and "
                "should be a mapping"
            ),
        ),
        (
            deployment("          env: {A: b}\n"),
            "line 10: spec.template.spec.containers[api].env is a mapping and should be a list",
        ),
        (
            deployment("          resources: {limits: {cpu: {a: 1}}}\n"),
            "resources.limits.cpu is a mapping and should be a single value",
        ),
    ],
)
def test_wrong_kind(text, message):
    assert f"{message}; write it as Kubernetes wants it" in refused(text)


def test_value_from():
    env = (
        "          env:\n            - text\n            - name: WHISPER_THREADS\n"
        "              valueFrom:\n                resourceFieldRef: {resource: limits.cpu}\n"
    )
    assert refused(deployment(env=env)) == (
        "d.yaml, line 12: the variable WHISPER_THREADS is taken with valueFrom, and the sizing "
        "cannot write there; give it a plain value, or take it out"
    )
    assert "OTHER" in update(
        deployment(env=env.replace("            - text\n", "")), thread_variable="OTHER"
    )


def test_variable_twice():
    env = "          env:\n" + "            - name: OMP_NUM_THREADS\n" * 2
    assert refused(deployment(env=env)).startswith(
        "d.yaml, line 12: spec.template.spec.containers[api].env[OMP_NUM_THREADS] is there twice"
    )


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
def test_a_layout_that_would_be_harmed(text):
    assert refused(text) == (
        "d.yaml: it is laid out such that it cannot be edited without harm, and was left as it "
        "is; write the fields that the sizing owns one to a line, or edit them by hand"
    )
