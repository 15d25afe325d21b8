"""The HorizontalPodAutoscaler beside a Deployment, edited in place like the Deployment."""

from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployment import BOM, Sized, chosen_container, the_deployment
from whisper_bench.manifests.facts import pod_of, wanted_of
from whisper_bench.manifests.hpa import hpa_patch
from whisper_bench.manifests.manifest import read_objects
from whisper_bench.manifests.patch import patched
from whisper_bench.manifests.scalers import scalers_of


def updated_autoscaler(text: str, sized: Sized, where: str, *, container: str | None = None) -> str:
    """Return the text of a manifest whose Deployment's autoscaler has the values of a sizing.

    Only minReplicas, the CPU utilisation at which it adds Pods, and a maxReplicas below minReplicas
    change. The Deployment is up to date already (`updated_deployment`).

    Raises:
        BenchError: there is no HorizontalPodAutoscaler of the Deployment in the file, or several.

    """
    body = text.removeprefix(BOM)
    objects = read_objects(body, where)
    deployment = the_deployment(objects, where)
    scalers = [scaler for scaler in scalers_of(objects, deployment, where) if scaler.is_hpa]
    if len(scalers) != 1:
        raise BenchError(
            f"--hpa: {where} has {len(scalers)} HorizontalPodAutoscalers of the Deployment "
            f"{deployment.name}, and must have exactly one; write one with its scaleTargetRef, or "
            "leave --hpa out"
        )
    name = chosen_container(deployment, container, where)
    wanted = wanted_of(sized, name, pod_of(deployment, where))
    patch = hpa_patch(scalers[0], wanted)
    mark = text[: len(text) - len(body)]
    return mark + patched(body, scalers[0].target, patch, where=where, after=_AFTER)


_AFTER = {"minReplicas": ["scaleTargetRef"], "maxReplicas": ["minReplicas"]}
