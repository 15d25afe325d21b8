"""The files that CTranslate2 and faster-whisper read from a folder of weights, and their hashes.

CTranslate2 4.8.5 opens model.bin, config.json and vocabulary.json, and vocabulary.txt only if there
is no vocabulary.json (seen with strace). faster-whisper 1.2.1 opens tokenizer.json, which it would
download from the hub if it is missing, and preprocessor_config.json, which changes the features
(faster_whisper/transcribe.py, WhisperModel.__init__).
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path

from whisper_bench.errors import BenchError

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
NEEDED = ("model.bin", "config.json", "tokenizer.json")
READ_FILES = (*NEEDED, *VOCABULARIES, "preprocessor_config.json")


def files_in(folder: Path) -> list[str]:
    """List the files in a folder of weights that are read when it is loaded.

    Raises:
        BenchError: a file that the loaders need is missing.

    """
    names = [name for name in READ_FILES if (folder / name).exists()]
    missing = [name for name in NEEDED if name not in names]
    if not set(VOCABULARIES) & set(names):
        missing.append("vocabulary.txt")
    if missing:
        raise BenchError(
            f"weights in {folder}: {', '.join(missing)} missing, and never downloaded; put all "
            "files of the weights there"
        )
    return names


def is_there(path: Path) -> bool:
    """Tell whether a file of weights exists.

    Raises:
        BenchError: this user may not enter a folder above it.

    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise BenchError(
            f"weights: cannot check whether {path} exists ({error.strerror}); let this user enter "
            "the folders above it (chmod a+rX), or put the weights in another folder"
        ) from error


def open_regular(path: Path) -> BufferedReader:
    """Open a file of weights to read it; refuse a pipe or a device.

    Raises:
        BenchError: it is not a regular file, or cannot be read.

    """
    try:
        # O_NONBLOCK: opening a pipe would wait for its writer
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise BenchError(
            f"weights: {path} cannot be read ({error.strerror}); put all files of the weights "
            "there, readable by this user"
        ) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise BenchError(f"weights: {path} is not a regular file; put the file itself there")
    return file


def hashed_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that is read when the folder is loaded, by its name.

    Raises:
        BenchError: a file is missing or cannot be read.

    """
    hashes = {}
    for name in files_in(folder):
        with open_regular(folder / name) as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def refuse_replaced(folder: Path, expected: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Refuse files that have changed since the run checked them.

    Raises:
        BenchError: one has changed; the message has the file and both hashes.

    """
    for name in {**expected, **files}:
        before, now = (side.get(name, "none") for side in (expected, files))
        if before != now:
            raise BenchError(
                f"weights in {folder}: {name} had sha256 {before} when the run checked it, and has "
                f"{now} now: it was replaced; make sure that nothing writes there, and measure "
                "again"
            )
