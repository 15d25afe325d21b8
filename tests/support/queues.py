"""The simulation of all Pods, as a maintainers' script has it."""

import sys

from support.project import ROOT
from support.untraced import untraced

sys.path.insert(0, str(ROOT / "benchmarks"))

from all_pods import answers_of_all

by_pod = untraced(answers_of_all)
