"""May two runs be compared? Every field that must agree, both values, and what was allowed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.case.decoding import Decoding
from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import Machine
from whisper_bench.ratio.fields import PLAIN, WEIGHTS, Value, compared_fields, fields_of
from whisper_bench.ratio.run import CaseIdentity, Run, RunCase

TOKENS_AS_MEASURED = 0.02
"""Share by which tokens may differ where the work is unknown: so much of the ratio is then work."""
TOKENS_AT_EQUAL_WORK = 0.15
"""Where the ratio is at equal work. Kernels of one chip decode up to 8 % more tokens of a clip
(docs/work.md); a transcript that differs by much more is another answer."""

CASES = "cases"
_KEYS = Case.__struct_fields__
_ALL_BUT_ONE = tuple(
    tuple(key for key in _KEYS if key != left_out)
    for left_out in ("clip", "threads", "model", "copies")
)
ALLOWABLE = (CASES, *PLAIN, "tokens", "decoding", "versions", WEIGHTS)
"""What --allow-mismatch takes; of the last three also one part: versions.numpy."""


_Here = TypeVar("_Here", bound=Case)
_There = TypeVar("_There", bound=Case)


class Mismatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that must agree and does not, with both values and the cases it is true of."""

    field: str
    reference: Value
    target: Value
    cases: list[str]

    def __str__(self) -> str:
        return (
            f"{self.field}: {_shown(self.reference)} against {_shown(self.target)} "
            f"[{', '.join(self.cases)}]"
        )


class NotComparableError(BenchError):
    """Two runs that differ in what must agree; `mismatches` has each field and both values."""

    exit_status = 1

    def __init__(self, reference: str, target: str, mismatches: Sequence[Mismatch]) -> None:
        self.reference, self.target, self.mismatches = reference, target, list(mismatches)
        super().__init__(
            *self.message(" ".join(f"--allow-mismatch {field}" for field in self.fields))
        )

    @property
    def fields(self) -> list[str]:
        """The fields that differ."""
        return list(dict.fromkeys(mismatch.field for mismatch in self.mismatches))

    @property
    def facts(self) -> dict[str, Any]:
        """What a program wants to know."""
        return {
            "comparable": False,
            "reference": self.reference,
            "target": self.target,
            "mismatches": self.mismatches,
        }

    def message(self, remedy: str) -> list[str]:
        """Return the message's lines; `remedy` has the options that allow the differences."""
        return [
            f"{self.reference} and {self.target} are not comparable:",
            *(f"  {mismatch}" for mismatch in self.mismatches),
            f"measure both in the same way; or allow the difference with {remedy}: it is recorded",
        ]


Pair = tuple[RunCase, RunCase]


def comparable_pairs(
    reference: Run, target: Run, allow: Collection[str] = ()
) -> tuple[list[Pair], list[Mismatch]]:
    """Return the cases that belong together, and the mismatches that `allow` allows.

    Raises:
        NotComparableError: a field differs that is not in `allow`.
        BenchError: `allow` names no field that is compared.

    """
    check_allowable(allow)
    pairs, differences = paired(reference.cases, target.cases)
    for here, there in pairs:
        apart = tokens_apart(here.work, there.work)
        differences += mismatches(here.identity, there.identity, _label_of(here, there), apart)
    allowed = let_through(differences, allow, reference.facts.name, target.facts.name)
    if not pairs:
        raise BenchError(
            f"{reference.facts.name} and {target.facts.name} have no case in common; measure one"
        )
    return pairs, allowed


def let_through(
    differences: Iterable[Mismatch], allow: Collection[str], reference: str, target: str
) -> list[Mismatch]:
    """Return mismatches that are all allowed, each once with every case that it is true of.

    Raises:
        NotComparableError: one is not allowed.

    """
    merged = _merged(differences)
    refused = [mismatch for mismatch in merged if not is_allowed(mismatch.field, allow)]
    if refused:
        raise NotComparableError(reference, target, refused)
    return merged


def check_allowable(allow: Collection[str], option: str = "--allow-mismatch") -> None:
    """Refuse a field that is never compared.

    Raises:
        BenchError: it names the field and those that can be allowed.

    """
    for field in allow:
        whole, _, part = field.partition(".")
        known = {"decoding": set(Decoding.__struct_fields__), "versions": {part}, WEIGHTS: {part}}
        parts = known.get(whole, set())
        if whole not in ALLOWABLE or (part and part not in parts):
            raise BenchError(
                f"{option} {field}: no such field is compared; use one of "
                f"{', '.join(ALLOWABLE)}, or a part such as versions.numpy or decoding.beam_size"
            )


def paired(
    reference: Sequence[_Here], target: Sequence[_There]
) -> tuple[list[tuple[_Here, _There]], list[Mismatch]]:
    """Pair the cases of the same model, threads, clip and copies; if none is, all but one of them.

    A case that finds no partner is a mismatch, whose value is None on the side where it is not.
    """
    partner = {_key(case, _KEYS): case for case in target}
    pairs = [
        (case, partner.pop(key)) for case in reference if (key := _key(case, _KEYS)) in partner
    ]
    taken = {_key(case, _KEYS) for case, _ in pairs}
    left = [case for case in reference if _key(case, _KEYS) not in taken]
    right = list(partner.values())
    # where some cases are the same, one that is not is missing, and not another in its place
    for shared in () if pairs else _ALL_BUT_ONE:
        for case in list(left):
            partners = [other for other in right if _key(other, shared) == _key(case, shared)]
            rivals = [other for other in left if _key(other, shared) == _key(case, shared)]
            if len(partners) == len(rivals) == 1:
                pairs.append((case, partners[0]))
                left.remove(case)
                right.remove(partners[0])
    alone = [Mismatch(CASES, case.label, None, [case.label]) for case in left]
    return pairs, alone + [Mismatch(CASES, None, case.label, [case.label]) for case in right]


def tokens_apart(*works: object | None) -> float:
    """Return the share by which tokens may differ; more where the work of both sides is known."""
    return TOKENS_AS_MEASURED if None in works else TOKENS_AT_EQUAL_WORK


def mismatches(
    reference: CaseIdentity, target: CaseIdentity, label: str, apart: float = TOKENS_AS_MEASURED
) -> Iterable[Mismatch]:
    """Return the fields of a case that must agree and do not; tokens may be `apart` by a share."""
    if reference == target:
        return []
    return differing(fields_of(reference), fields_of(target), label, apart)


def differing(
    reference: Mapping[str, Value],
    target: Mapping[str, Value],
    label: str,
    apart: float = TOKENS_AS_MEASURED,
) -> Iterable[Mismatch]:
    """Return the fields whose values do not agree; a field that a side lacks is None there."""
    for field in compared_fields(reference, target):
        here, there = reference.get(field), target.get(field)
        agree = _tokens_agree(here, there, apart) if field == "tokens" else here == there
        if not agree:
            yield Mismatch(field, here, there, [label])


def machine_mismatches(
    here: Machine, there: Machine, settings: Iterable[tuple[Mapping[str, str], Mapping[str, str]]]
) -> Iterable[Mismatch]:
    """Return how two runs of one machine differ in it or in how it was set up, case by case."""
    for mine, theirs in [(here.kind, there.kind), *settings]:
        yield from differing(mine, theirs, "")


def _tokens_agree(here: Any, there: Any, apart: float) -> bool:
    return bool(abs(here - there) <= apart * min(here, there))


def is_allowed(field: str, allow: Collection[str]) -> bool:
    """Tell whether a field, or the whole that it is a part of, may differ."""
    return field in allow or field.partition(".")[0] in allow


def _merged(differences: Iterable[Mismatch]) -> list[Mismatch]:
    """Say a mismatch once, with every case that it is true of."""
    cases: dict[tuple[str, Value, Value], list[str]] = {}
    for mismatch in differences:
        cases.setdefault((mismatch.field, mismatch.reference, mismatch.target), []).extend(
            mismatch.cases
        )
    return [Mismatch(*difference, names) for difference, names in cases.items()]


def _label_of(reference: RunCase, target: RunCase) -> str:
    return " and ".join(dict.fromkeys((reference.label, target.label)))


def _key(case: Case, shared: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(case, name) for name in shared)


def _shown(value: Value) -> str:
    return "none" if value is None else str(value)
