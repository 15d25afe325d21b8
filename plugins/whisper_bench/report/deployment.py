"""The Deployment of a sizing: its file as it is, and as it should be."""

from pathlib import Path
from typing import NamedTuple

from whisper_bench.errors import BenchError
from whisper_bench.manifests.autoscaled import updated_autoscaler
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.manifests.deployment import deployment_diff, updated_deployment
from whisper_bench.manifests.facts import deployment_facts
from whisper_bench.report.outputs import sized
from whisper_bench.sizing.sizing_report import SizingReport

MOST_BYTES = 64 * 2**20
"""Of a manifest file: more than any real one has, and still quick to read."""


class Edited(NamedTuple):
    """The Deployment's file as it is and as it should be, and what the Deployment is then."""

    old: str
    new: str
    path: Path
    facts: DeploymentFacts

    @property
    def diff(self) -> list[str]:
        """Lines of a diff; none where the file is as it should be."""
        return deployment_diff(self.old, self.new, str(self.path))


def edited_deployment(
    report: SizingReport, path: Path, *, container: str | None = None, hpa: bool = False
) -> Edited:
    """Return the Deployment as the sizing sets it; with `hpa` its autoscaler as well.

    Raises:
        BenchError: the file cannot be read or edited, or the sizing is infeasible.

    """
    old, fields, where = _text_of(path), sized(report), str(path)
    new = updated_deployment(old, fields, where, container=container)
    if hpa:
        new = updated_autoscaler(new, fields, where, container=container)
    return Edited(old, new, path, deployment_facts(new, fields, where, container=container))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BenchError(
                f"--deployment {path}: it is larger than {MOST_BYTES // 2**20} MiB; put the "
                "Deployment into its own file"
            )
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"--deployment {path}: {error}; pass a Deployment's file") from error
