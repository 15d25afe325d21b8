"""Autoscalers beside a Deployment, and what comes of both."""

from support.deployments import deployment
from whisper_bench.manifests.autoscaled import updated_autoscaler
from whisper_bench.manifests.deployment import Sized, updated_deployment
from whisper_bench.manifests.facts import deployment_facts

SIZED = Sized(10, 1, 448, 1, {}, 36)
RESOURCES = "          resources: {limits: {cpu: 1, memory: 448Mi}}\n"
POD = deployment(RESOURCES)
HEAD = "---\napiVersion: {version}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: h}}\nspec:\n"
REF = "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}\n"
CPU = "    - type: Resource\n      resource: {{name: cpu, target: {{averageUtilization: {0}}}}}\n"


def hpa(spec, ref=REF, version="autoscaling/v2"):
    return HEAD.format(version=version) + ref + spec


FITS = "  minReplicas: 10\n  maxReplicas: 30\n  metrics:\n" + CPU.format(36)


def facts(text, **choice):
    return deployment_facts(text, SIZED, "d.yaml", **choice)


def scaled(text, sized=SIZED, **choice):
    new = updated_deployment(text, sized, "d.yaml", **choice)
    new = updated_autoscaler(new, sized, "d.yaml", **choice)
    assert updated_autoscaler(new, sized, "d.yaml", **choice) == new
    return new
