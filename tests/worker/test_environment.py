"""The environment variables of a worker."""

from whisper_bench.worker.environment import worker_environment


def test_thread_variables_override_those_of_the_user():
    given = {"OMP_NUM_THREADS": "8", "CT2_FORCE_CPU_ISA": "AVX2", "PATH": "/bin"}
    environment = worker_environment(2, given)
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["VECLIB_MAXIMUM_THREADS"] == "1"
    assert environment["CT2_FORCE_CPU_ISA"] == "AVX2"
    assert environment["PATH"] == "/bin"
