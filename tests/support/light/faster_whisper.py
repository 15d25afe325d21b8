"""A double of faster-whisper for runs that test pytest's side: it loads and decodes in no time.

Each round is 10 ms of work and the same text. What the library itself does is tested on the toy
and on the real weights.
"""

import os
import sys
from types import SimpleNamespace

TEXT = " ".join(f"w{number}" for number in range(20))
KERNELS = f"""Selected ISA: {os.environ.get("CT2_FORCE_CPU_ISA", "DOUBLE")}
SGEMM backend: double (packed: false)
GEMM_S8 backend: double (packed: false, u8s8 preferred: false)
Use Intel MKL: false
"""


class WhisperModel:
    def __init__(self, _folder, *, compute_type, **_options):
        sys.stderr.write(KERNELS)
        self.model = SimpleNamespace(compute_type=compute_type, is_multilingual=True)
        self.hf_tokenizer = SimpleNamespace(token_to_id=len)

    def transcribe(self, _samples, **_options):
        sum(range(300_000))
        return [SimpleNamespace(text=TEXT, tokens=list(range(20)))], None

    def detect_language(self, _samples):
        return "en", 0.02, []
