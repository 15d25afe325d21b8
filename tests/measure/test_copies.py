"""Several workers at once, scripted: sets that count, and copies that die, stop or fall silent."""

from threading import Event

import msgspec
import pytest

from support.samples import measured, plan, ready
from whisper_bench.errors import BenchError, WorkerDiedError
from whisper_bench.measure import copies


class Scripted:
    """A worker that says nothing by itself; what it would say is put where it is heard."""

    faults: dict
    stopped: set

    def __init__(self, _assignment, join, *, wait=True):
        self.number, self.pid, self.waited = join, 100 + join, wait
        self.ready = ready(1).ready
        self.ended = Event()

    def become_ready(self):
        if self.number in self.faults:
            raise self.faults[self.number]
        self.waited = True

    def release(self):
        assert self.waited

    @property
    def is_stopped(self):
        return self.number in self.stopped

    def next_round(self):
        self.ended.wait()
        raise BenchError("it was ended")

    def kill(self):
        self.ended.set()

    def close(self):
        pass


class Crew:
    """Copies whose workers are scripted."""

    def __init__(self, count):
        self.copies = copies.Copies(plan().assignment(), list(range(1, count + 1)))

    def says(self, copy, start_s, wall_s, *, awake=True):
        one = measured(wall_s, wall_s if awake else 0.0)
        self.puts(copy, msgspec.structs.replace(one, start_s=start_s))

    def puts(self, copy, said):
        self.copies._said.put(copies._Said(copy, said))


@pytest.fixture
def crew(monkeypatch):
    monkeypatch.setattr(copies, "Worker", Scripted)
    monkeypatch.setattr(copies, "_LOOK_S", 0.001)
    Scripted.faults, Scripted.stopped = {}, set()
    made = []

    def make(count):
        made.append(Crew(count))
        return made[-1]

    yield make
    for one in made:
        one.copies.close()


def test_a_set_has_a_round_of_each_copy(crew):
    three = crew(3)
    assert len(three.copies.ready) == 3
    for copy in (1, 2, 3):
        three.says(copy, 0.0, 1.0)
    assert [one.start_s for one in three.copies.round()] == [0, 0, 0]


def test_a_copy_that_dies_as_it_loads_is_named(crew):
    Scripted.faults = {2: WorkerDiedError("it ended", "its last lines")}
    with pytest.raises(WorkerDiedError, match="copy 2 of 2: it ended") as died:
        crew(2)
    assert died.value.args[1] == "its last lines"


def test_a_copy_that_fails_is_named(crew):
    two = crew(2)
    two.puts(2, BenchError("it cannot go on"))
    with pytest.raises(BenchError, match="copy 2 of 2: it cannot go on"):
        two.copies.round()


def test_a_copy_that_is_stopped_is_found_where_nobody_says_anything(crew):
    two = crew(2)
    Scripted.stopped = {1}
    with pytest.raises(BenchError, match="copy 1 of 2: the worker process 101 is stopped"):
        two.copies.round()


@pytest.mark.parametrize(("stopped", "words"), [({2}, "is stopped"), (set(), "no round for 20")])
def test_a_copy_that_falls_silent_is_named(crew, stopped, words):
    two = crew(2)
    two.says(2, 0.0, 1.0)
    for number in range(25):
        two.says(1, float(number), 1.0)
    two.copies.round()
    Scripted.stopped = stopped
    with pytest.raises(BenchError, match=f"copy 2 of 2.*{words}"):
        two.copies.round()


def test_copies_that_are_never_busy_together_end_their_case(crew):
    two = crew(2)
    for number in range(25):
        two.says(1, float(number), 1.0, awake=False)
        two.says(2, float(number), 1.0)
    with pytest.raises(BenchError, match="2 copies: no round of 20 had all copies busy"):
        two.copies.round()


def test_copies_that_do_not_fit_into_memory_are_refused(monkeypatch):
    gib = 2**30
    monkeypatch.setattr(copies, "available_bytes", lambda _root: 3 * gib)
    heavy = msgspec.structs.replace(ready(1).ready, peak_rss_bytes=gib)
    copies.refuse_too_little_memory(heavy, "medium", 4)
    with pytest.raises(BenchError, match=r"5 copies of medium take 5\.0 GiB .*memory for 4"):
        copies.refuse_too_little_memory(heavy, "medium", 5)
