"""The journal of a session: a new one, or that of the unfinished run that it continues."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from whisper_bench.errors import BenchError
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.measure.journal_reader import Held, resume
from whisper_bench.measure.measurement import Plan
from whisper_bench.measure.unfinished import Left, left_of, unfinished_names
from whisper_bench.saved.find import save_name
from whisper_bench.saved.same import half_written, saved_with

UNSAVED = "unsaved"


class Opened(NamedTuple):
    """A journal, what it holds, and the saved run that holds all of that, if there is one."""

    journal: Journal
    held: Held
    saved: Path | None = None


def open_journal(
    results: Path,
    identity: RunLine,
    plans: Iterable[Plan],
    *,
    go_on: bool,
    storage: Sequence[Path],
    say: Callable[[str], None],
) -> Opened:
    """Open the journal; `storage` is where runs are saved, `go_on` what --whisper-resume asks.

    Raises:
        BenchError: there is none to go on from, it is another run's, or it cannot be written.

    """
    left = _left(results, identity.name)
    if left.unfinished or not go_on:
        for path in left.in_progress:
            say(
                f"a run of {identity.name!r} is in progress ({path}): two runs at once disturb "
                "each other, measure again after it has ended"
            )
    if not go_on:
        if left.unfinished:
            say(
                f"{_whose(left.unfinished[-1], identity.name)} is kept in {left.unfinished[-1]}: "
                "--whisper-resume continues it"
            )
        return Opened(Journal.begin(results, identity), Held([], [], []))
    if not left.unfinished:
        raise BenchError(_nothing_left(results, identity.name, left))
    journal = Journal.go_on(left.unfinished[-1])
    try:
        return _opened(journal, identity, list(plans), storage, say)
    except BaseException:
        journal.close()
        raise


def left_to_resume(results: Path, name: str) -> list[Path]:
    """List the journals that --whisper-resume could go on from, the newest last."""
    return _left(results, name).unfinished


def _left(results: Path, name: str) -> Left:
    """List the journals of a save name, else those of runs that had none."""
    left = left_of(results, name)
    return left if left.unfinished or left.in_progress else left_of(results, UNSAVED)


def _whose(journal: Path, name: str) -> str:
    """Tell a run of this save name from one that had none, which a resume may take as well."""
    is_unsaved = journal.stem.rpartition("_")[0] == UNSAVED
    return "a run that was not saved" if is_unsaved else f"an unfinished run of {name!r}"


def _nothing_left(results: Path, name: str, left: Left) -> str:
    if left.in_progress:
        return (
            f"--whisper-resume: a run of {name!r} is in progress ({left.in_progress[-1]}): another "
            "run is writing it; before you resume, wait until it ends or stop it"
        )
    others = ", ".join(unfinished_names(results)) or "none"
    return (
        f"--whisper-resume: no unfinished run of {name!r} in {results}; unfinished "
        f"there: {others}; give one of these names with --benchmark-save, or run without "
        "--whisper-resume"
    )


def _opened(
    journal: Journal,
    identity: RunLine,
    plans: Sequence[Plan],
    storage: Sequence[Path],
    say: Callable[[str], None],
) -> Opened:
    held = resume(journal.path, identity)
    rounds = held.rounds
    say(f"resuming {journal.path.name}: {len(rounds)} rounds are already measured")
    for path in half_written(storage, identity.name, rounds):
        _take_away(path, journal.path, say)
    saved = saved_with(storage, rounds)
    if saved is None:
        return Opened(journal, held)
    if save_name(saved) != identity.name:
        raise BenchError(
            f"--whisper-resume: the run in {journal.path} is already saved as {saved}; finish it "
            f"with --benchmark-save={save_name(saved)}, or delete {journal.path}"
        )
    if any(sum(line.case == plan.case for line in rounds) < plan.all_rounds for plan in plans):
        return Opened(journal, held)  # a part of the run is saved: told when the rest is saved, too
    say(f"this run is already saved in {saved}: it is not saved again, only finished")
    return Opened(journal, held, saved)


def _take_away(path: Path, journal: Path, say: Callable[[str], None]) -> None:
    try:
        path.unlink()
    except OSError as error:
        say(f"{path} is incomplete and cannot be removed ({error.strerror or error}): delete it")
    else:
        say(f"removed {path}: it was incomplete, and all its rounds are in {journal.name}")
