"""Foreign JSON: what is cut short, and what is something else."""

import pytest

from whisper_bench.files.json_input import ends_too_early

DOCUMENT = '{"a": [1.5, true, null, "phố é \\u1ed1\\n"], "b": -1.5e-05, "c": {}}'.encode()


@pytest.mark.parametrize("length", range(len(DOCUMENT)))
def test_a_document_that_is_cut_anywhere_is_cut_short(length):
    assert ends_too_early(DOCUMENT[:length])


@pytest.mark.parametrize("content", [DOCUMENT, b"no JSON at all", b'{"a": 1,}', DOCUMENT + b"}"])
def test_a_whole_document_and_one_that_is_no_json_are_not_cut_short(content):
    assert not ends_too_early(content)
