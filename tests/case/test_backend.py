"""The kernels in use, from CTranslate2's log."""

from whisper_bench.case.backend import Backend, parse_backend

X86_LOG = """\
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info] CPU: AuthenticAMD (SSE4.1=true, AVX=true)
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - Selected ISA: AVX2
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - Use Intel MKL: false
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - SGEMM backend: DNNL (packed: false)
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - GEMM_S8 backend: DNNL (packed: false, u8s8 preferred: true)
[2026-11-24 06:13:25.713] [ctranslate2] [thread 3290] [info]  - Selected compute type: int8_float32
"""


def test_the_kernels_are_read_from_the_log():
    assert parse_backend(X86_LOG) == Backend("AVX2", "DNNL", "DNNL", False, "int8_float32")  # noqa: FBT003


def test_a_log_without_kernels_gives_none():
    assert parse_backend("something else") == Backend()
