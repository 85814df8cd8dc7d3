"""How long imports and `manyheads --help` take, each in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.timing import Finding, summary

TORCH, OURS = "import torch", "import torch, manyheads"
HELP = "import sys; sys.argv = ['manyheads', '--help']; from manyheads.cli import main; main()"


def elapsed(code: str) -> float:
    """Time a process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def run(repetitions: int) -> Iterator[Finding]:
    """Measure by the clock, in turn."""
    for code in (TORCH, OURS, HELP):
        elapsed(code)
    times = [(elapsed(TORCH), elapsed(OURS), elapsed(HELP)) for _ in range(repetitions)]
    added = summary([ours - bare for bare, ours, _ in times])
    asked = summary([shown for *_, shown in times])
    what = "seconds that `import manyheads` adds to `import torch`"
    yield Finding(case="start_up", what=what, ratio=added, bar="< 0.5", holds=added.median < 0.5)
    yield Finding(case="start_up", what="seconds of `manyheads --help`", ratio=asked, bar="< 1", holds=asked.median < 1)
