"""The course of every case: it begins once, and no failure is forgotten."""

from whisper_bench.case.case import Case
from whisper_bench.errors import BenchError


class Course:
    """The cases of one session as they begin and fail.

    pytest's reports do not decide: plugins take failures back, or run a test until it passes.
    """

    def __init__(self) -> None:
        self._begun: set[tuple[Case, str]] = set()
        self._failures: dict[Case, list[str]] = {}

    @property
    def failures(self) -> list[str]:
        """Return every failure, each with its case in front."""
        return [text for texts in self._failures.values() for text in texts]

    def begin(self, case: Case, step: str, repeater: str) -> None:
        """Note that a step of a case begins; `repeater` names what may repeat it.

        Raises:
            BenchError: the step has begun before.

        """
        if (case, step) in self._begun:
            earlier = self._failures.get(case)
            failed = f" It failed before: {earlier[0]}" if earlier else ""
            raise BenchError(
                f"{case.label}: the case was started a second time. A case is measured only once "
                f"per run, so that a failed one is not repeated until it passes; run without "
                f"{repeater}.{failed}"
            )
        self._begun.add((case, step))

    def fail(self, case: Case, reason: str) -> None:
        """Keep a failure of a case; the same first line again is the same failure."""
        text = reason if reason.startswith(case.label) else f"{case.label}: {reason}"
        texts = self._failures.setdefault(case, [])
        if not any(known.startswith(text) for known in texts):
            texts.append(text)
