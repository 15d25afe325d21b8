"""A worker's environment variables: libraries read thread counts at their first import."""

from collections.abc import Mapping

RECORDED_PREFIXES = (
    "CT2_",
    "DNNL_",
    "GOMP_",
    "KMP_",
    "MKL_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "VECLIB_",
)
"""Variables that change the result or the number of threads; every result records them."""


def worker_environment(threads: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with the thread variables for a case of `threads` threads.

    numpy's mel filter stays on one thread: it is a hundredth of the work, and OpenBLAS's threads
    would compete with CTranslate2's. CT2_VERBOSE=1 prints the kernels in use, only at load.
    """
    return {
        **environment,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
        "CT2_VERBOSE": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
