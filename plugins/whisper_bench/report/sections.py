"""A sizing as a document: the answer, what was asked, and what follows from it."""

from datetime import UTC
from pathlib import PurePath

from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.report.document import Block, Bullets, Document, Notice, Section, Table
from whisper_bench.report.measured import (
    candidates_section,
    latency_section,
    ratio_section,
    throttling_section,
    work_section,
)
from whisper_bench.report.predicted import (
    cross_check_section,
    load_section,
    pods_section,
    prediction_section,
    sensitivity_section,
)
from whisper_bench.report.words import (
    TIMES,
    bound_text,
    extrapolation_text,
    headline,
    limited_text,
    load_text,
    mix_text,
    node_text,
    nodes_text,
    objective_text,
    policy_text,
    seconds_text,
)
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.sizing.sizing_report import SizingReport
from whisper_bench.text.amounts import count_text

_GIB_MIB = 1024
_BYTES_MIB = 2**20


def document_of(report: SizingReport) -> Document:
    """Return all that a reviewer sees, in the order of the likely questions."""
    sizing = report.sizing
    title = headline(sizing)
    sections = [
        _inputs(report),
        latency_section(report.basis),
        work_section(sizing),
        throttling_section(report),
        ratio_section(report.basis),
        candidates_section(report),
        prediction_section(sizing),
        pods_section(sizing),
        load_section(sizing),
        sensitivity_section(report),
        _memory(sizing.pod, report.deployment),
        _spread(sizing),
        _scaling(sizing, report.deployment),
        cross_check_section(sizing),
        _warnings(report),
        _made(report),
    ]
    return Document(
        title=title[0].upper() + title[1:],
        feasible=sizing.feasible,
        answer=_answer(report),
        sections=[section for section in sections if section is not None],
    )


def _answer(report: SizingReport) -> list[Block]:
    sizing = report.sizing
    blocks: list[Block] = []
    notices = node_text(report.basis), extrapolation_text(report.basis)
    blocks += [Notice(f"{notice}.") for notice in notices if notice]
    blocks.append(_in_short(sizing))
    if sizing.feasible:
        rows = [*_answer_rows(sizing), *_whole_pod_rows(report.deployment)]
        blocks.append(Table("The answer", ("what", "value"), rows, words=True))
    elif sizing.advice:
        blocks += ["What would help:", Bullets(sizing.advice)]
    if report.warnings:
        count = count_text(len(report.warnings), "warning")
        blocks.append(f"{count}: see Warnings, below.")
    return blocks


def _in_short(sizing: Sizing) -> str:
    asked = f"For {load_text(sizing.load)}; objective {objective_text(sizing.objective)}."
    if not sizing.feasible:
        return f"{asked} Infeasible: no number of Pods that was tried is enough."
    reason = sizing.reason[0].upper() + sizing.reason[1:]
    bound = bound_text(sizing)
    return f"{asked} {reason}." + (f" {bound[0].upper()}{bound[1:]}." if bound else "")


def _answer_rows(sizing: Sizing) -> list[tuple[str, ...]]:
    replicas, pod = sizing.replicas or 0, sizing.pod
    spares = f"{sizing.needed} needed, {sizing.policy.reserve_text}"
    rows: list[tuple[str, ...]] = [("Replicas", f"{replicas} ({spares})")]
    if pod is not None:
        whole_gib = replicas * pod.memory_mib / _GIB_MIB
        rows += [
            ("CPU, requests = limits", f"{pod.cpu} per Pod, {replicas * pod.cpu} in total"),
            (
                "Memory, requests = limits",
                f"{pod.memory_mib} MiB per Pod, {whole_gib:.1f} GiB in total",
            ),
            (
                "Threads",
                f"{pod.threads} per worker, {count_text(pod.concurrency, 'worker')} per Pod",
            ),
        ]
    if sizing.objective and sizing.whole and sizing.without_spares:
        objective, spare = sizing.objective, sizing.policy.reserve
        alone = f", {limited_text(objective, sizing.without_spares.objective_s)} without spare Pods"
        text = f"{limited_text(objective, sizing.whole.objective_s)}{alone if spare else ''}"
        rows.append(
            (f"{objective.name} at the peak", f"{text}; the objective is {objective.limit}")
        )
    if sizing.utilisation is not None:
        rows.append(("Utilisation at the peak", f"{sizing.utilisation:.0%}"))
    if sizing.hpa_utilisation_percent is not None:
        percent = sizing.hpa_utilisation_percent
        scaling = f"above {percent}% CPU utilisation, minReplicas {sizing.replicas}"
        rows.append(("Scale out (HPA)", scaling))
    if nodes := nodes_text(sizing):
        rows.append(("Nodes", nodes))
    if sizing.price_per_audio_hour is not None:
        rows.append(("Price of an hour of audio", f"{sizing.price_per_audio_hour:.4g}"))
    return rows


def _spread(sizing: Sizing) -> Section | None:
    """Return the lines that keep the Pods apart, without which a lost node takes more of them."""
    policy = sizing.policy
    if sizing.nodes is None or not policy.spare_nodes:
        return None
    nodes = count_text(policy.spare_nodes, "node")
    text = (
        f"The objective holds without {nodes}, if each node has no more than "
        f"{count_text(policy.pods_per_node or 0, 'Pod')}. The scheduler spreads them with this in "
        "the Pod's spec, with the labels of your Pods:"
    )
    lines = (
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, "
        "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {...}}}]"
    )
    return Section("Nodes that are lost", [text, Bullets([lines])])


def _whole_pod_rows(deployment: DeploymentFacts | None) -> list[tuple[str, ...]]:
    """Return the size of the Deployment's whole Pod, with its other containers."""
    if deployment is None:
        return []
    size = f"{deployment.cpus:g} CPU and {deployment.memory_mib:g} MiB"
    return [("The whole Pod as written", f"{size}, {deployment.quality_of_service}")]


def _inputs(report: SizingReport) -> Section:
    sizing = report.sizing
    policy = sizing.policy
    rows = [
        ("Load", load_text(sizing.load)),
        ("Length of audio", mix_text(sizing.load, sizing.service)),
        ("Objective", objective_text(sizing.objective)),
        ("Policy", policy_text(policy)),
        ("Mean service time", seconds_text(sizing.mean_service_s)),
        ("Offered load", f"{sizing.offered_load:.2f} requests in service on average (Erlang)"),
    ]
    return Section("Inputs", [Table("Inputs", ("input", "value"), rows, words=True)])


def _memory(pod: PodSize | None, deployment: DeploymentFacts | None) -> Section:
    title = "CPU and memory of a Pod"
    if pod is None:
        return Section(title, ["The size of a Pod was not measured."])
    peak_mib = pod.peak_rss_bytes / _BYTES_MIB
    needed_mib = peak_mib * pod.margin * pod.concurrency
    rows = [
        ("Peak of one process", f"{peak_mib:.1f} MiB, measured on {pod.measured_on}"),
        (
            "Margin",
            f"{TIMES} {pod.margin:g}: the service around Whisper, longer clips, fragmentation",
        ),
        ("Workers in a Pod", f"{TIMES} {pod.concurrency}"),
        ("Needed", f"{needed_mib:.1f} MiB"),
        ("Rounded up to", f"{pod.memory_mib} MiB, in steps of {pod.step_mib} MiB"),
        ("CPU", _cpu_text(pod)),
        ("Threads", f"{count_text(pod.threads, 'thread')} per worker, as measured"),
    ]
    return Section(
        title, [Table(title, ("step", "value"), rows, words=True), _class_text(deployment)]
    )


def _cpu_text(pod: PodSize) -> str:
    workers = count_text(pod.concurrency, "worker")
    limit = pod.measured_limit_cpus
    measured = "no visible limit" if limit is None else f"a limit of {limit:g} CPU"
    return f"{pod.cpu}, the whole CPUs that {workers} can use; measured under {measured}"


def _class_text(deployment: DeploymentFacts | None) -> str:
    """Return the Pod's QoS class, or what it depends on if there is no Deployment."""
    if deployment is None:
        return (
            "The container's requests equal its limits. The Pod is Guaranteed if that is so for "
            "each of its containers; no Deployment was checked."
        )
    quality, name = deployment.quality_of_service, PurePath(deployment.path).name
    return f"{name}: the Pod is {quality}, with all its containers as written there."


def _of_cpu(pod: PodSize | None) -> str:
    """Say how much of its CPU a busy Pod was measured to use."""
    if pod is None:
        return ""
    return f" of the time, with {pod.busy_cpus * pod.concurrency:.2f} of {pod.cpu} CPU in use"


def _scaling(sizing: Sizing, deployment: DeploymentFacts | None) -> Section | None:
    percent = sizing.hpa_utilisation_percent
    if percent is None:
        return None
    why = (
        f"All {sizing.replicas} Pods are this busy at the peak: offered load / (replicas {TIMES} "
        f"requests at a time) = {sizing.offered_load:.2f} / ({sizing.replicas} {TIMES} "
        f"{sizing.policy.concurrency}) = {sizing.utilisation:.1%}{_of_cpu(sizing.pod)}, rounded "
        "down. Above it there is more load than the sizing is for."
    )
    target = f"Target {percent}% CPU utilisation, minReplicas {sizing.replicas}."
    blocks: list[Block] = [target, why]
    if deployment is not None and deployment.pod_cpu_percent not in {None, percent}:
        blocks.append(
            f"That is for the container {deployment.container}. Other containers request CPU too: "
            f"for the whole Pod (metric of type Resource) it is {deployment.pod_cpu_percent}%."
        )
    return Section("Scaling out (HPA)", blocks)


def _warnings(report: SizingReport) -> Section:
    return Section("Warnings", [Bullets(report.warnings) if report.warnings else "None."])


def _made(report: SizingReport) -> Section:
    run, target = report.basis.run, report.basis.target
    rows = [
        ("Tool", f"pytest-whisper-bench {report.tool_version}"),
        ("Made", report.created),
        (
            "Run",
            f"{run.name}, {run.where}, measured {run.moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        ),
        ("Machine measured", f"{run.cpu_model}, {run.architecture}, {run.system} {run.kernel}"),
        ("Node", run.node),
        ("Python", run.python),
    ]
    if target is not None:
        rows.append(("Machine sized for", f"{target.cpu_model}, {target.architecture}"))
        rows.append(("Its run", f"{target.name}, {target.where}, {target.moment:%Y-%m-%d}"))
    predicted = report.sizing.without_spares
    if predicted is not None:
        rows.append(("Requests simulated", f"{predicted.requests} for the answer"))
    method = (
        "Latencies are simulated request by request from the measured service times; the same "
        "run, options and seed give the same figures."
    )
    title = "How it was made"
    return Section(title, [Table(title, ("what", "value"), rows, words=True), method])
