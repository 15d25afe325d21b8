"""Frames: whatever a log does to them, a payload comes back as it was or is told to be damaged."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whisper_bench.parcel.frames import LINE_CHARACTERS, MARK, encode, frames_in
from whisper_bench.parcel.reassemble import payloads_in

PAYLOADS = st.binary(max_size=6000)
NOISE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r"), max_size=60)
CUTS = st.integers(1024, 16 * 1024)


def log_of(payload):
    return "".join(f"{line}\n" for line in encode(payload))


def contents(text):
    return [payload.content for payload in payloads_in(text)]


def faults(text):
    return [payload.fault for payload in payloads_in(text)]


def cut(text, size):
    """Cut a text at every `size` characters, wherever that is, as no runtime would."""
    return [text[start : start + size] for start in range(0, len(text), size)]


@given(PAYLOADS)
def test_an_encoded_payload_is_decoded(payload):
    assert contents(log_of(payload)) == [payload]


@given(PAYLOADS)
def test_frames_are_short_and_without_spaces(payload):
    lines = encode(payload)
    assert len(lines) >= 2
    assert all(len(line) < LINE_CHARACTERS and " " not in line for line in lines)
    assert all(line.isascii() and line.isprintable() for line in lines)


@settings(max_examples=200)
@given(PAYLOADS, CUTS, st.data())
def test_frames_cut_anywhere_among_other_lines(payload, size, data):
    before = data.draw(st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=999))
    text = before + "\n" + log_of(payload)
    mixed = []
    for piece in cut(text, size):
        mixed += [piece, *data.draw(st.lists(NOISE, max_size=4))]
    assert payload in contents("\n".join(mixed))


@settings(max_examples=200)
@given(PAYLOADS, st.integers(16, 1023))
def test_frames_cut_at_any_length(payload, size):
    assert contents("\n".join(cut(log_of(payload), size))) == [payload]


@given(PAYLOADS, CUTS, st.data())
def test_frames_among_lines_that_a_runtime_cuts(payload, size, data):
    """What a container runtime does: it cuts single lines that are too long."""
    lines = encode(payload)
    for _ in range(3):
        place = data.draw(st.integers(0, len(lines)))
        lines.insert(place, data.draw(st.sampled_from("ab; ")) * 20_000)
    assert contents("\n".join(piece for line in lines for piece in cut(line, size))) == [payload]


@given(st.lists(PAYLOADS, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
def test_frames_of_many_writers_are_told_apart(payloads, chance):
    sources = [list(encode(payload)) for payload in payloads]
    mixed = []
    while any(sources):
        source = chance.choice([lines for lines in sources if lines])
        mixed.append(f"{chance.choice(['', '[pod/a] ', '2026-11-24T10:00:00Z '])}{source.pop(0)}")
    assert sorted(contents("\n".join(mixed))) == sorted(payloads)


@settings(max_examples=300)
@given(st.binary(max_size=2000), st.data())
def test_a_corrupted_byte_is_noticed(payload, data):
    text = bytearray(log_of(payload).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    payloads = payloads_in(text.decode(errors="replace"))
    # nothing but a newline can be lost without loss
    assert [payload_read.content for payload_read in payloads] == [payload] or all(
        payload_read.fault for payload_read in payloads
    )
    assert payloads, "a log with frames must never pass for one without"


def test_every_changed_byte_of_a_log_is_noticed():
    """The same at every place of one short log: each bit turned, and what means something."""
    payload = b"what was measured"
    text = log_of(payload).encode()
    silent = []
    for place, byte in enumerate(text):
        for other in {*(byte ^ 1 << bit for bit in range(8)), *b"\n ;:/09afAF-_"} - {byte}:
            damaged = text[:place] + bytes([other]) + text[place + 1 :]
            payloads = payloads_in(damaged.decode(errors="replace"))
            whole = [payload_read.content for payload_read in payloads] == [payload]
            if not payloads or not (whole or all(payload_read.fault for payload_read in payloads)):
                silent.append((place, other))
    assert not silent


@given(st.binary(min_size=1500, max_size=6000), st.data())
def test_a_missing_frame_is_named(payload, data):
    lines = encode(payload)
    number = data.draw(st.integers(1, len(lines)))
    del lines[number - 1]
    (fault,) = faults("\n".join(lines))
    assert fault.endswith(f": frame {number} of {len(lines) + 1} missing or damaged")


def test_many_missing_frames_are_counted():
    lines = encode(random.Random(1).randbytes(8000))
    (fault,) = faults("\n".join(lines[:3]))
    assert f": frames 4, 5, 6, 7, 8 and {len(lines) - 8} more of {len(lines)} missing" in fault


def test_a_copy_of_a_frame_counts_once():
    text = log_of(b"payload")
    assert contents(text + text) == [b"payload"]


def test_frames_in_the_formats_of_container_runtimes():
    """json-file of Docker, and the partial lines of containerd and CRI-O."""
    first, *rest = encode(b"payload" * 300)
    docker = [f'{{"log":"{line}\\n","stream":"stdout"}}' for line in [first, *rest]]
    assert contents("\n".join(docker)) == [b"payload" * 300]
    stamp = "2026-11-24T10:00:00.000000000Z stdout"
    partial = [f"{stamp} P {first[:300]}", f"{stamp} F {first[300:]}"]
    assert contents("\n".join([*partial, *rest])) == [b"payload" * 300]


def test_a_frame_cut_inside_its_mark():
    first, *rest = encode(b"payload")
    text = "\n".join([f"noise {first[:9]}", "a b c", "frame", f"{first[9:]}", *rest])
    assert contents(text) == [b"payload"]


def test_two_different_frames_of_one_number_are_a_fault():
    from whisper_bench.parcel import frames

    name = frames.payload_id(b"payload")
    line = frames._line(f"{name}:1/2", b"other")
    (fault,) = faults(log_of(b"payload") + line)
    assert fault.endswith("two different frames have the same number")


def test_two_counts_of_one_payload_are_a_fault():
    from whisper_bench.parcel import frames

    name = frames.payload_id(b"payload")
    (fault,) = faults(log_of(b"payload") + frames._line(f"{name}:3/3", b""))
    assert fault.endswith("two different frames have the same number")


def test_frames_that_do_not_give_the_sha256_are_a_fault():
    from whisper_bench.parcel import frames

    name = frames.payload_id(b"other")
    lines = [frames._line(f"{name}:{number}/2", b"payload") for number in (1, 2)]
    assert faults("\n".join(lines)) == [f"{name[:8]}: its frames do not give its sha256"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{MARK}2:abc", "frames of version 2, and this whisper-bench reads 1; "),
        (f"{MARK}1:abc", "no frame is complete; "),
        (f"{MARK}x", "no frame is complete; "),
    ],
)
def test_frames_that_cannot_be_read_are_a_fault(text, fault):
    (only,) = faults(text)
    assert only.startswith(fault)


def test_a_log_without_frames_has_no_payload():
    assert payloads_in("collected 1 item\n\n") == []


def test_a_frame_with_a_wrong_checksum_is_no_frame():
    line = encode(b"payload")[0]
    assert frames_in(line)
    assert not frames_in(line.replace(":1/2:", ":2/2:"))
