"""What needs no measurement: the Deployment against the sizing, the ratio's age."""

from collections.abc import Sequence
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.gate.report import Answer, Check
from whisper_bench.ratio.config import age_of, check_age, load_config


def ratio_fresh(path: Path, most_days: float) -> Check:
    """Check that the saved ratio is complete, unedited, and not too old."""
    try:
        config = load_config(path)
        check_age(config, most_days)
    except BenchError as error:
        return Check("ratio", Answer.FAIL, f"{error}")
    return Check(
        "ratio",
        Answer.PASS,
        f"{path.name}: its older run is {age_of(config).days} days old, {most_days:g} are allowed",
    )


def deployment_matches(diff: Sequence[str], faults: Sequence[str] = ()) -> Check:
    """Check that the Deployment matches the sizing.

    `diff` has the fields that differ, `faults` what else is wrong.
    """
    if not diff and not faults:
        return Check("deployment", Answer.PASS, "matches the sizing")
    changed = [line for line in diff if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    differences = "; ".join([*(" ".join(line.split()) for line in changed), *faults])
    return Check("deployment", Answer.FAIL, f"differs from the sizing: {differences}")
