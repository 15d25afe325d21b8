"""`whisper-bench k8s run` and `k8s collect`: measure in a cluster and collect the results."""

import argparse
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whisper_bench.cli.k8s_options import add_collect, add_run, changes_of, cluster_of
from whisper_bench.cli.show import say
from whisper_bench.errors import BenchError, InterruptedCommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from whisper_bench.cluster.run import Ended

STDIN = "-"
_RUN_TEXT = (
    "Create the bench Pod, follow it, collect its results and delete it. Options after -- go to "
    "the suite: whisper-bench k8s run --save xeon -- --whisper-models=base,small. Exits 0 if the "
    "run passed and its results are here, else 1."
)
_COLLECT_TEXT = (
    "Read results from logs: files, - for stdin, pod/NAME or job/NAME in the cluster; without any, "
    "every bench Pod and Job of the namespace. Exits 0 if each log had complete results and every "
    "Job had a log, else 1."
)


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare both commands."""
    parser = commands.add_parser("k8s", help="measure in a cluster and collect the results")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run_parser = verbs.add_parser("run", help="one run in a Pod", description=_RUN_TEXT)
    add_run(run_parser)
    run_parser.set_defaults(run=run)
    collect_parser = verbs.add_parser(
        "collect", help="collect results from logs", description=_COLLECT_TEXT
    )
    add_collect(collect_parser)
    collect_parser.set_defaults(run=collect)


class _Outcome:
    """What was collected so far, and what failed; `save_name` is the demanded one, if any."""

    def __init__(self, options: argparse.Namespace, save_name: str | None = None) -> None:
        from whisper_bench.parcel.collect import Collection

        self._options = options
        self._collection = Collection(options.storage, options.results, save_name)
        self.collected = self._collection.collected
        self.faults = self._collection.faults
        self.facts: dict[str, Any] = {}
        self.is_interrupted = False

    def take(self, log: str, parts: "Iterable[tuple[str, Iterable[str]]]") -> None:
        """Save what is in a log, given as its files."""
        self._collection.take(log, parts)

    def finish(self) -> None:
        """Report runs that no log had completely."""
        self._collection.finish()

    def take_ended(self, ended: "Ended") -> None:
        """Save a Pod's results, and its log if something is wrong."""
        from whisper_bench.files.whole import write_new

        state = ended.state
        self.facts = {
            "pod": ended.pod,
            "node": state.node,
            "phase": state.phase,
            "reason": state.reason,
            "exit_code": state.exit_code,
        }
        if state.reason or state.exit_code:
            self.faults.append(f"pod/{ended.pod}: {state.fault}")
        before = len(self.faults)
        self.take(f"pod/{ended.pod}", [(f"pod/{ended.pod}", [ended.log])])
        self.finish()
        if len(self.faults) > before and ended.log:
            path = write_new(self._options.results / f"{ended.pod}.log", ended.log.encode())
            self.faults.append(f"pod/{ended.pod}: its log is saved as {path}")

    def show(self) -> int:
        """Print all of it; return the exit status."""
        from whisper_bench.cli.show import show_json, show_lines

        if not self._options.json:
            show_lines(line for run in self.collected for line in run.lines())
        for fault in self.faults:
            say(f"FAILED: {fault}")
        if self._options.json:
            show_json({**self.facts, "runs": self.collected, "faults": self.faults})
        if self.is_interrupted:
            return InterruptedCommandError.exit_status
        return int(bool(self.faults))


def run(options: argparse.Namespace) -> int:
    """Run one Pod to its end and collect its results."""
    from uuid import uuid4

    from whisper_bench.cluster.answer import ClusterError
    from whisper_bench.cluster.bench_pod import pod_to_create, read_manifest
    from whisper_bench.cluster.follow import Waits
    from whisper_bench.cluster.run import PodRun
    from whisper_bench.files.whole import check_writable

    changes = changes_of(options)
    waits = Waits(pending_s=options.pending_timeout)
    manifest = read_manifest(options.manifest)
    pod = pod_to_create(manifest, changes, uuid4().hex, str(options.manifest))
    check_writable(options.storage, "saved runs", "pass another folder with --storage")
    check_writable(options.results, "result files", "pass another folder with --results")
    name, outcome = pod["metadata"]["name"], _Outcome(options, options.save)
    runs = PodRun(
        cluster_of(options), lambda line: say(f"{name}: {line}"), keep=options.keep, waits=waits
    )
    try:
        runs.to_end(pod, outcome.take_ended)
    except KeyboardInterrupt:
        raise InterruptedCommandError("interrupted; nothing was collected") from None
    except ClusterError as error:
        if not outcome.facts:
            raise
        outcome.faults.append(str(error))
    return outcome.show()


def collect(options: argparse.Namespace) -> int:
    """Collect the results from every given log."""
    from whisper_bench.cluster.answer import ClusterError

    outcome = _Outcome(options)
    try:
        for name, parts in _logs(options, outcome):
            outcome.take(name, parts)
    except KeyboardInterrupt:
        outcome.faults.append("interrupted; what came before is collected")
        outcome.is_interrupted = True
    except ClusterError as error:
        if not outcome.collected:
            raise
        outcome.faults.append(str(error))
    outcome.finish()
    return outcome.show()


def _logs(
    options: argparse.Namespace, outcome: _Outcome
) -> "Iterator[tuple[str, Iterable[tuple[str, Iterable[str]]]]]":
    """Yield each log's name and its files, the files first; all of them must be readable."""
    from whisper_bench.cluster.fetch import SELECTOR, Fetcher, is_remote
    from whisper_bench.parcel.log_file import grouped

    remote = [source for source in options.sources if is_remote(source)]
    if options.selector or not options.sources:
        remote.append(options.selector or SELECTOR)
    files = [source for source in options.sources if not is_remote(source)]
    for file in files:
        _refuse_unreadable(file)
    for group in grouped(files):
        yield " + ".join(group), [(file, _pieces(file)) for file in group]
    if remote:
        fetcher = Fetcher(cluster_of(options), say, wait_s=options.wait)
        for name, text in fetcher.logs(remote):
            yield name, [(name, [text])]
        outcome.faults += fetcher.faults


def _refuse_unreadable(source: str) -> None:
    """Refuse a file that cannot be read, before any is; a pipe may be opened only once."""
    try:
        if source == STDIN:
            trouble = "stdin is closed" if sys.stdin is None else None
        elif stat.S_ISDIR(Path(source).stat().st_mode):
            trouble = os.strerror(errno.EISDIR)
        else:
            trouble = None if os.access(source, os.R_OK) else os.strerror(errno.EACCES)
    except (OSError, ValueError) as error:  # a ValueError if the name has a NUL
        trouble = getattr(error, "strerror", None) or str(error)
    if trouble:
        raise BenchError(f"{source}: {trouble}; pass a log file, - for stdin, pod/NAME or job/NAME")


def _pieces(source: str) -> "Iterator[str]":
    from whisper_bench.parcel.log_file import LogError, log_pieces

    try:
        if source == STDIN:
            yield from log_pieces(sys.stdin.buffer)
        else:
            with Path(source).open("rb") as file:
                yield from log_pieces(file)
    except OSError as error:
        raise LogError(f"it cannot be read completely: {error.strerror or error}") from error
