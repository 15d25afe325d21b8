"""What a reader should know of a sizing's basis: each remark says what, and what to do about it."""

from collections.abc import Sequence

from whisper_bench.case.record import CaseRecord
from whisper_bench.ratio.predict import PredictionReport
from whisper_bench.sizing.candidates import MeasuredCase
from whisper_bench.sizing.demand import Load
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.stats.quantile import samples_needed
from whisper_bench.text.amounts import count_text


def allowed_differences(predicted: PredictionReport) -> list[str]:
    """Say in what the run, and the ratio's own sides, were let differ."""
    new = [f"allowed to differ: {mismatch}" for mismatch in predicted.allowed_mismatches]
    return new + [
        f"allowed to differ in the ratio: {mismatch}" for mismatch in predicted.ratio_mismatches
    ]


def clips_left_out(records: Sequence[CaseRecord], chosen: Sequence[CaseRecord]) -> list[str]:
    """Say which clips of the model were measured and are not what the sizing rests on."""
    clip = chosen[0].clip.name
    others = {record.clip.name for record in records if record.model == chosen[0].model} - {clip}
    if not others:
        return []
    measured = ", ".join(sorted(others))
    return [f"the sizing uses the clip {clip}; also measured: {measured}"]


def few_samples(sizing: Sizing) -> list[str]:
    """Warn if the percentile is from fewer rounds than it needs, all of one clip."""
    objective, service = sizing.objective, sizing.service
    if objective is None or service is None:
        return []
    rounds, needed = len(service.samples_s), samples_needed(objective.percent)
    if rounds >= needed:
        return []
    few = f"{rounds} rounds: p{objective.percent:g} of the service time needs {needed}"
    return [f"{few}, and real audio varies more than one clip (--audio, --hard-share)"]


def fewer_cpus(case: MeasuredCase) -> list[str]:
    """Warn if the Pod gets fewer CPUs than were in force when its throttling was judged."""
    pod = case.pod
    if not pod.below_measured_limit:
        return []
    cpus = pod.cpu // pod.concurrency
    threads = count_text(pod.threads, "thread")
    text = (
        f"measured under a limit of {pod.measured_limit_cpus:g} CPUs, of which {threads} can use "
        f"{cpus}: the Pod gets {cpus} per worker; throttling was judged under the larger limit, "
        f"measure with --whisper-cpu-limit={cpus} to judge it as deployed"
    )
    return [f"{case.record.label}: {text}"]


def fewer_copies(case: MeasuredCase, sizing: Sizing) -> list[str]:
    """Warn if a node will hold more Pods than were measured beside each other."""
    copies, pods = case.copies, sizing.policy.pods_per_node
    if copies == 1 or pods is None or copies >= pods:
        return []
    text = (
        f"a node will hold {pods} Pods, and {copies} workers at once were measured: more of them "
        f"are slower, measure with --whisper-copies=1,{pods}"
    )
    return [f"{case.record.label}: {text}"]


def in_windows(case: MeasuredCase, load: Load) -> list[str]:
    """Warn if other lengths than the measured one are counted in windows alone."""
    clip = case.record.clip
    others = [length for length in load.lengths if length.audio_s != clip.duration_s]
    if case.service.work is not None or not others:
        return []
    text = (
        "audio is counted in windows of 30 s, since encoder and decoder times are unknown; short "
        "clips are priced too high: measure again to have them (docs/work.md)"
    )
    return [f"{case.record.label}: {text}"]
