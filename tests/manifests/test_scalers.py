"""Which autoscalers are a Deployment's: those that point to it, and what of them is refused."""

import pytest

from support.autoscalers import FITS, POD, REF, SIZED, facts, hpa, scaled
from whisper_bench.errors import BenchError
from whisper_bench.manifests.autoscaled import updated_autoscaler
from whisper_bench.manifests.deployment import updated_deployment


@pytest.mark.parametrize(
    "ref",
    [
        "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}\n",
        "  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: api}\n",
        "  scaleTargetRef: {apiVersion: argoproj.io/v1, kind: Deployment, name: api}\n",
        "  scaleTargetRef: [api]\n",
        "",
    ],
)
def test_an_autoscaler_of_another_object_is_ignored(ref):
    new = updated_deployment(POD + hpa(FITS, ref), SIZED, "d.yaml")
    assert "  replicas: 10\n" in new
    assert facts(new).autoscaler is None
    with pytest.raises(BenchError, match="--hpa: d.yaml has 0 HorizontalPodAutoscalers of the"):
        updated_autoscaler(new, SIZED, "d.yaml")


@pytest.mark.parametrize(
    ("ours", "its", "same"),
    [("a", "a", True), ("a", None, True), (None, "a", True), ("a", "b", False)],
)
def test_an_autoscaler_of_another_namespace_is_ignored(ours, its, same):
    def named(text, old, space):
        return text.replace(old, f"name: {{}}, namespace: {space}") if space else text

    text = (
        POD.replace("  name: api\nspec", f"  name: api\n  namespace: {ours}\nspec") if ours else POD
    )
    scaler = hpa(FITS)
    if its:
        scaler = scaler.replace("{name: h}", f"{{name: h, namespace: {its}}}")
    new = updated_deployment(text + scaler, SIZED, "d.yaml")
    assert ("replicas: 10" not in new.replace("Replicas", "")) or not same
    assert (facts(new).autoscaler is not None) == same


def test_several_autoscalers_are_a_fault():
    text = POD + hpa(FITS) + hpa(FITS).replace("{name: h}", "{name: i}")
    assert "only one autoscaler may set a Deployment's replicas" in facts(text).faults[0]
    with pytest.raises(BenchError, match="has 2 HorizontalPodAutoscalers of the Deployment api"):
        updated_autoscaler(text, SIZED, "d.yaml")


def test_a_deployment_without_a_name_has_no_autoscaler():
    new = updated_deployment(POD.replace("  name: api\n", "", 1) + hpa(FITS), SIZED, "d.yaml")
    assert "  replicas: 10\n" in new


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            "  minReplicas: '3'\n  maxReplicas: 30\n",
            "Expected `int | null`, got `str` - at `$.minR",
        ),
        ("  minReplicas: 3\n", "missing required field `maxReplicas`"),
        ("  maxReplicas: 2.5\n", "Expected `int`, got `float` - at `$.maxReplicas`"),
    ],
)
def test_an_autoscaler_that_is_not_valid_is_refused(spec, problem):
    with pytest.raises(BenchError) as refused:
        updated_deployment(POD + hpa(spec), SIZED, "d.yaml")
    assert "d.yaml: HorizontalPodAutoscaler h, spec: " in str(refused.value)
    assert problem in str(refused.value)


KEDA = "---\nkind: ScaledObject\nmetadata: {name: k}\nspec:\n  scaleTargetRef: {name: api}\n"


def test_the_replica_counts_of_keda_are_checked():
    new = updated_deployment(POD + KEDA, SIZED, "d.yaml")
    assert "\n  replicas" not in new
    assert "ScaledObject k: minReplicaCount is 0" in facts(new).faults[0]
    assert "--hpa" not in facts(new).faults[0]
    assert "ScaledObject k sets the replicas (0 to 100)" in facts(new).notes[0]
    fits = new + "  minReplicaCount: 10\n  maxReplicaCount: 12\n"
    assert facts(fits).faults == []
    low = new + "  minReplicaCount: 10\n  maxReplicaCount: 9\n"
    assert "maxReplicaCount is 9, below the sizing's 10 Pods; write 10" in facts(low).faults[0]
    with pytest.raises(BenchError, match="has 0 HorizontalPodAutoscalers"):
        updated_autoscaler(new, SIZED, "d.yaml")


@pytest.mark.parametrize("triggers", ["", "  triggers: [{type: cpu, metadata: {value: '99'}}]\n"])
def test_triggers_of_keda_are_noted_as_not_read(triggers):
    new = updated_deployment(POD + KEDA + triggers, SIZED, "d.yaml")
    assert "the triggers of ScaledObject k were not read: when it adds" in facts(new).notes[1]


def test_idle_replicas_of_keda_are_its_fewest():
    text = POD + KEDA + "  minReplicaCount: 10\n  idleReplicaCount: 0\n"
    (fault,) = facts(text).faults
    assert "ScaledObject k: idleReplicaCount is 0, and the sizing's 10 Pods" in fault
    assert fault.endswith("; remove it")


@pytest.mark.parametrize("version", ["autoscaling/v1", "autoscaling/v2"])
def test_items_of_a_typed_list_may_have_no_kind(version):
    text = (
        f"{POD}---\napiVersion: {version}\nkind: HorizontalPodAutoscalerList\nitems:\n"
        f"- metadata: {{name: h}}\n  spec:\n  {REF}    maxReplicas: 10\n"
        "    minReplicas: 10\n    targetCPUUtilizationPercentage: 20\n"
    )
    new = updated_deployment(text, SIZED, "d.yaml")
    assert "\n  replicas:" not in new
    assert facts(new).autoscaler == "HorizontalPodAutoscaler h"
    # the list's version is theirs: the field is of v1 alone, and the default is 80
    assert ["80%" in fault for fault in facts(new).faults] == [True] * (version[-1] == "2")


def test_deployment_and_autoscaler_in_one_list_keep_their_comments():
    lines = (POD + "#\n" + hpa(FITS).removeprefix("---\n").replace("36", "50 # ours")).splitlines()
    first, second = "\n".join(lines).split("#\n", 1)
    indented = ["- " + part.strip("\n").replace("\n", "\n  ") for part in (first, second)]
    text = "kind: List\nitems:\n" + "\n".join(indented).replace("50 # ours}}", "50}} # ours") + "\n"
    assert "averageUtilization: 36}} # ours" in scaled(text)
