"""One session's state: what was planned, what was measured, what is printed at the end."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.case.clip import load_clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.record import CaseRecord
from whisper_bench.case.transcript import TranscriptCheck
from whisper_bench.errors import BenchError, WrongAnswerError
from whisper_bench.machine.cpu_limit import cpu_limit_in_force
from whisper_bench.machine.identity import detect_machine
from whisper_bench.machine.node import read_node
from whisper_bench.machine.quota import PERIOD_US
from whisper_bench.measure.journal import RunLine
from whisper_bench.measure.journal_reader import identity_of
from whisper_bench.measure.measurement import FinishedRounds, Measurement, Plan
from whisper_bench.measure.progress import Progress
from whisper_bench.saved.same import SavedRounds, saved_of
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.course import Course
from whisper_bench.session.languages import (
    decoding_fact,
    detector,
    language_facts,
    languages_of,
)
from whisper_bench.session.limit import PINNED, Limits, held_limit
from whisper_bench.session.resumed import UNSAVED, Opened, left_to_resume, open_journal
from whisper_bench.throttling.judge import ThrottlingReport
from whisper_bench.weights.resolve import resolve_weights

if TYPE_CHECKING:
    from whisper_bench.ratio.report import RatioReport
    from whisper_bench.session.reference import Reference
    from whisper_bench.session.terminal import Terminal


class Bench:
    """A session that measures; made when the first case has been collected.

    Raises:
        BenchError: weights, clip, limit or results folder are not as they must be, found out
            before anything is measured.

    """

    def __init__(
        self,
        config: BenchConfig,
        cases: Iterable[Case],
        *,
        terminal: "Terminal",
        timed: list[Any],
        reference: "Reference | None" = None,
        storage: Sequence[Path] = (),
    ) -> None:
        self.config = config
        self.terminal = terminal
        self._timed = timed
        self.machine = detect_machine(config.cpu_model)
        self.limit = cpu_limit_in_force()
        self.demanded = None if config.cpu_limit is None else held_limit(config.cpu_limit)
        self.plans = self._planned(list(cases))
        self.reference = reference
        if reference is not None:
            reference.check(self.plans.values(), self._planned_limit())
        self.records: dict[Case, CaseRecord] = {}
        self.written: list[Path] = []
        self.course = Course()
        self.saved: dict[str, Any] | None = None
        self.is_saved = True
        self.troubles: list[str] = []
        self.finished = self.shown = False
        self.ratio: RatioReport | None = None
        self.throttling = ThrottlingReport([], [], [], failed=True)
        self.check = TranscriptCheck()
        self.progress = Progress(list(self.plans.values()))
        if self.demanded != config.cpu_limit:
            terminal.say(
                f"--whisper-cpu-limit={config.cpu_limit}: the kernel counts a quota in whole "
                f"microseconds per {PERIOD_US // 1000} ms, so {self.demanded:g} CPU is set and "
                "recorded"
            )
        self.limits = Limits(
            self.demanded, self.limit, max(case.copies for case in self.plans), config.placement
        )
        try:
            self.journal, self._held, saved = self._open_journal(storage)
        except BenchError:
            self.close()
            raise
        self.is_saved_already = saved is not None
        self.earlier_run = self.saved_run = saved
        """The file that this run is saved in, once it is; `earlier_run` if another session did."""

    def measurement(self, case: Case) -> Measurement:
        """Return the rounds of a case that are still to be measured.

        Raises:
            WrongAnswerError: the case gave one in the run that this one goes on from.

        """
        messages = [wrong.message for wrong in self._held.wrong if wrong.case == case]
        if messages:
            raise WrongAnswerError(
                *messages[0].split("\n"),
                "this is from the run that --whisper-resume continues, and the case stays failed: "
                "measure again without --whisper-resume",
            )
        finished = FinishedRounds(
            [line for line in self._held.processes if line.case == case],
            [line for line in self._held.rounds if line.case == case],
        )
        finished.resumed_rounds = len(finished.rounds)
        return Measurement(
            self.plans[case],
            finished,
            journal=self.journal,
            check=self.check,
            joins=self.limits.joins(case.copies),
            on_progress=self._on_progress,
        )

    @property
    def is_red(self) -> bool:
        """Tell whether something failed; pytest's reports do not decide."""
        stopped = self.config.stress and self.config.on_throttling == "fail"
        return bool(self.reasons) or (stopped and self.throttling.failed)

    @property
    def reasons(self) -> list[str]:
        """Say what failed: cases first, then what became of the run."""
        return [*self.course.failures, *self.troubles]

    @property
    def missing(self) -> list[str]:
        """Name the cases of which a planned round was not measured."""
        return [
            case.label
            for case, plan in self.plans.items()
            if case not in self.records or len(self.records[case].rounds) < plan.all_rounds
        ]

    def saved_earlier(self, folder: Path, name: str) -> SavedRounds:
        """Return which saved runs hold rounds of this one; none, if this run started new."""
        if not self._held.rounds:
            return SavedRounds(None, [])
        return saved_of(folder, name, self.records.values())

    def close(self) -> None:
        """Take the limits away that this run has put in force."""
        self.limits.close()

    def forget(self, stats: Any) -> None:
        """Take a case that failed out of what pytest-benchmark shows and saves."""
        self._timed[:] = [known for known in self._timed if known is not stats]

    def close_journal(self, *, everything_saved: bool) -> None:
        """Delete the journal when all that it holds has been saved, keep it otherwise.

        Raises:
            BenchError: it cannot be deleted.

        """
        taken_over = self.is_saved_already or all(
            line.case in self.records for line in self._held.rounds
        )
        if (everything_saved and taken_over) or not self.journal.holds_rounds:
            self.journal.discard()
        else:
            self.journal.close()

    def _on_progress(self, measurement: Measurement) -> None:
        self.terminal.progress(self.progress.line(measurement))

    def _planned(self, cases: list[Case]) -> dict[Case, Plan]:
        """Plan every case; weights are hashed and clips read once for all of them."""
        config, node = self.config, read_node()
        clips = {name: load_clip(config.clips[name]) for name in {case.clip for case in cases}}
        weights = {
            model: resolve_weights(
                model, model_dir=config.model_dir, allow_unpinned=config.allow_unpinned
            )
            for model in dict.fromkeys(case.model for case in cases)
        }
        self.languages = languages_of(
            clips, config.language, self._earlier_facts(),
            detector(next(iter(weights.values())), config.compute_type),
        )  # fmt: skip
        return {
            case: Plan(
                case=case,
                clip=msgspec.structs.replace(
                    clips[case.clip], language=self.languages[case.clip].code
                ),
                weights=weights[case.model],
                compute_type=config.compute_type,
                decoding=Decoding(
                    language=self.languages[case.clip].code, beam_size=config.beam_size
                ),
                language_source=self.languages[case.clip].known,
                rounds=config.rounds,
                processes=config.processes,
                warmup_rounds=config.warmup_rounds,
                cpu_limit=self.demanded,
                placement=config.placement,
                node_facts=node,
            )
            for case in cases
        }

    def _planned_limit(self) -> float | str | None:
        """Return the limit that each worker will have, as two runs must share it."""
        known = self.demanded or self.limit.compared
        if self.config.placement == PINNED:
            return min(1.0, self.limit.quota_cpus or 1.0)
        return known

    def _earlier_facts(self) -> dict[str, str]:
        """Return the facts of the run that this one continues; none if it starts new."""
        name = self.config.save_name or UNSAVED
        left = left_to_resume(self.config.results, name) if self.config.resume else []
        return identity_of(left[-1]).facts if left else {}

    def _open_journal(self, storage: Sequence[Path]) -> Opened:
        return open_journal(
            self.config.results,
            self._identity(),
            self.plans.values(),
            go_on=self.config.resume,
            storage=storage,
            say=self.terminal.say,
        )

    def _identity(self) -> RunLine:
        from importlib.metadata import version

        facts = {
            "architecture": self.machine.architecture,
            "cpu_model": self.machine.cpu_model,
            "cpu_limit": str(self.demanded or self.limit.compared),
            "compute_type": self.config.compute_type,
            "warmup_rounds": str(self.config.warmup_rounds),
            "placement": self.config.placement,
            "python": self.machine.python,
            "faster-whisper": version("faster-whisper"),
            "ctranslate2": version("ctranslate2"),
        }
        for plan in self.plans.values():
            for name, digest in plan.weights.files.items():
                facts[f"model {plan.case.model} {name} sha256"] = digest
            facts[f"clip {plan.case.clip} sha256"] = plan.clip.sha256
            facts[decoding_fact(plan.case.clip)] = msgspec.json.encode(plan.decoding).decode()
        facts |= language_facts(self.languages)
        return RunLine(self.config.save_name or UNSAVED, facts)
