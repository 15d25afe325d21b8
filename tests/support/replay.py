"""A gate's side that costs nothing: prints a saved run as if it had just been measured."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a program of its own
from support.pod_runs import frames_of

if __name__ == "__main__":
    path, *options = sys.argv[1:]
    (name,) = (item.partition("=")[2] for item in options if item.startswith("--benchmark-save="))
    sys.stdout.write("\n".join(frames_of(Path(path), name)) + "\n")
