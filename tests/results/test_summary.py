import msgspec

from support.samples import NO_LIMIT, WEIGHTS, evidence, plan, round_line
from whisper_bench.case.case import Case
from whisper_bench.measure.gather import gathered
from whisper_bench.results.summary import case_line, summary_lines


def test_the_summary_has_a_row_for_each_case_and_its_warnings(golden):
    base = gathered(plan(rounds=4), evidence(4.4, 4.5, 4.7, 4.8))
    medium_plan = plan(
        Case("medium-shape-only", 1, "vi_30s"),
        rounds=2,
        weights=msgspec.structs.replace(WEIGHTS, shape_only=True),
        clip=msgspec.structs.replace(plan().clip, text=None),
    )
    medium = gathered(medium_plan, evidence(28.0, 28.0, limit=NO_LIMIT))
    golden("summary.txt", summary_lines([base, medium]))


def test_the_line_of_a_finished_case_counts_contended_rounds():
    busy = evidence(4.5, 4.5)
    quiet = case_line(gathered(plan(rounds=2), busy))
    assert quiet == "base-t1-vi_30s  2 rounds in 1 processes, mean 4.500 s"
    busy.rounds[1] = round_line(1, 4.5, cpu_s=1.0)
    assert case_line(gathered(plan(rounds=2), busy)).endswith("4.500 s, 1 of them contended")
