"""A Deployment among others in its file: what stands beside it is neither read nor changed."""

import pytest

from support.deployments import BARE, SMALL, SMALL_SIZED, refused
from support.project import ROOT
from whisper_bench.manifests.deployment import updated_deployment

CASES = ROOT / "tests" / "recorded" / "cases" / "deployments"
UNREAD = {
    "bare equals": "kind: Matcher\nspec: {op: [=, .nan, 'a': ]}\n",
    "tab": "kind: ConfigMap  # of the Deployment\ndata:\n\ta: 1\n",
    "no YAML": "a: [\n",
    "twice": "kind: ConfigMap # Deployment\na: 1\na: 2\n",
    "policy": "kind: Policy\nrules: [{kind: Deployment}]\na: [\n",
    "deep": "kind: Deep\na: " + "[" * 3000 + "\n",
}


def update(text):
    return updated_deployment(text, BARE, "d.yaml")


@pytest.mark.parametrize("name", UNREAD)
@pytest.mark.parametrize("order", ["{small}---\n{other}", "{other}---\n{small}"])
def test_another_document_that_cannot_be_read_is_kept(name, order):
    text = order.format(small=SMALL, other=UNREAD[name])
    assert update(text) == order.format(small=SMALL_SIZED, other=UNREAD[name])


@pytest.mark.parametrize(
    "kind", ["Deployment", "HorizontalPodAutoscaler", "List", "DeploymentList"]
)
def test_a_document_that_may_matter_and_cannot_be_read_is_refused(kind):
    message = refused(f"{SMALL}---\nkind: {kind} # Deployment\na: [\n")
    line = SMALL.count("\n") + 4
    assert f"document 2, line {line}, column 1: whisper-bench cannot read this YAML" in message
    assert "move the Deployment, with its autoscaler, to a file of its own" in message


def test_a_document_of_unclear_kind_that_cannot_be_read_is_refused():
    assert "a file of its own" in refused(f"{SMALL}---\na: Deployment\nb: [\n")


def test_a_bare_equals_sign_is_kept():
    text = (CASES / "20-bare-equals-crd.yaml").read_text()
    new = update(text)
    assert new.partition("\n---\n")[2] == text.partition("\n---\n")[2]
    assert "replicas: 7\n" in new


def test_a_tab_before_a_comment_is_kept():
    new = update((CASES / "28b-tab-before-comment.yaml").read_text())
    assert "          image: registry.example/stt:2\t# pinned\n          env:\n" in new


def test_an_octal_number_of_replicas_is_what_kubernetes_reads():
    text = SMALL_SIZED.replace("replicas: 7", "replicas: 010")
    assert update(text) == SMALL_SIZED
    for same in ("007", "0x7", "0b111", "7.0", "+7", "7e0", "0o7"):
        text = SMALL_SIZED.replace("replicas: 7", f"replicas: {same}")
        assert update(text) is text


@pytest.mark.parametrize("cpu", ["0x2", "0b10", "02", "2e0", "2."])
def test_an_amount_that_means_the_same_to_kubernetes_stays(cpu):
    text = SMALL_SIZED.replace('cpu: "2"\n', f"cpu: {cpu}\n")
    assert update(text) is text


@pytest.mark.parametrize("cpu", ["yes", "~", "[2]", "010", ".2", "'0x2'", "-2", "2 cores"])
def test_an_amount_of_another_value_is_replaced_or_refused(cpu):
    text = SMALL_SIZED.replace('cpu: "2"\n', f"cpu: {cpu}\n")
    if cpu == "[2]":
        assert "limits.cpu is a list and must be a single value" in refused(text)
    else:
        assert update(text).replace("'2'\n", '"2"\n') == SMALL_SIZED


@pytest.mark.parametrize("value", ["2", "0b10", "yes", "~", "2.0", ""])
def test_a_variable_that_is_not_text_is_put_in_quotes(value):
    text = SMALL_SIZED.replace('value: "2"', f"value: {value}".rstrip())
    assert update(text) == SMALL_SIZED


LISTED = (
    "apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  spec: {{replicas: 1}}\n- {0}- {{}}\n"
)


def listed(text):
    return LISTED.format(text.replace("\n", "\n  ").removesuffix("  "))


def test_a_deployment_in_a_list_is_edited():
    assert update(listed(SMALL)) == listed(SMALL_SIZED)
    other = "---\nkind: ConfigMap\nx: '='\n"
    assert update(other + "---\n" + listed(SMALL)) == other + "---\n" + listed(SMALL_SIZED)
    assert update(listed(SMALL_SIZED)) == listed(SMALL_SIZED)
    assert "several Deployments (api, api)" in refused(f"{listed(SMALL)}---\n{SMALL}")


def test_a_deployment_that_an_alias_repeats_is_refused():
    text = listed(SMALL).replace("- apiVersion", "- &d\n  apiVersion") + "- *d\n"
    assert "several Deployments" in refused(text)


@pytest.mark.parametrize(
    ("before", "fault"),
    [
        (
            "%YAML 1.1\n---\n",
            "line 1: Kubernetes cannot read a file with a directive ('%YAML 1.1')",
        ),
        (
            "# c\n\n%TAG ! tag:x,1:\n---\n",
            "line 3: Kubernetes cannot read a file with a directive",
        ),
        (
            "a: 1\n--- b\n---\n",
            "line 2: 'b' stands after ---",
        ),
        ("a: 1\n----\n---\n", "line 2: '-' stands after ---"),
    ],
)
def test_a_file_that_kubernetes_does_not_read_is_refused(before, fault):
    assert fault in refused(before + SMALL)


def test_empty_documents_and_comments_are_skipped():
    text = "---\n---\n# a\n---\n\n---\nnull\n---\n{}\n--- # here\n{small}...\n# end\n---\n"
    text = text.replace("{}\n--- # here\n", "--- # here\n")
    assert update(text.replace("{small}", SMALL)) == text.replace("{small}", SMALL_SIZED)


def test_a_deployment_whose_kind_is_written_oddly_is_found():
    text = SMALL.replace("kind: Deployment", '"kind": "Deploy\\u006dent"')
    assert update(text) == SMALL_SIZED.replace("kind: Deployment", '"kind": "Deploy\\u006dent"')


def test_text_after_a_document_end_is_refused():
    message = refused(f"{SMALL}...\nkind: Service\n")
    line = SMALL.count("\n") + 2
    assert f"line {line}: Kubernetes cannot read this: a second document begins" in message


def test_a_name_that_is_a_list_is_kept():
    text = (CASES / "deploy-list-name.yaml").read_text()
    assert "- name: [a]\n" in update(text)
