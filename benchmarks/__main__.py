"""All benchmarks, or some: `python -m benchmarks [CASE ...]`, from the root of the project.

Everything that is compared runs in turn in one process, on one thread; figures are medians of ratios with their
quartiles. `--write` puts them into `docs/benchmarks.md`, where rows of other cases stay, and `--json FILE` into a file.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks import (
    cw_step,
    fast_path,
    generator_cost,
    joint_attack,
    loading,
    memory,
    pgd_overhead,
    rivals,
    scale,
    start_up,
    survivors,
    training_step,
)
from benchmarks.page import Origin, updated
from benchmarks.timing import Finding, keep_memory

CASES: Mapping[str, Callable[[int], Iterator[Finding]]] = {
    "pgd_overhead": pgd_overhead.run,
    "rivals": rivals.run,
    "fast_path": fast_path.run,
    "cw_step": cw_step.run,
    "joint_attack": joint_attack.run,
    "survivors": survivors.run,
    "training_step": training_step.run,
    "generator_cost": generator_cost.run,
    "loading": loading.run,
    "scale": scale.run,
    "start_up": start_up.run,
    "memory": memory.run,
}
PAGE = Path("docs/benchmarks.md")


def main() -> None:
    """Run what is wanted and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which; all if none is named: {', '.join(CASES)}")
    parser.add_argument("--repetitions", type=int, default=10, help="rounds of every comparison")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {PAGE}, in place of older ones")
    parser.add_argument("--json", type=Path, help="put the figures into this file")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(CASES)}")
    torch.set_num_threads(1)
    keep_memory()
    findings = []
    for name in options.cases or CASES:
        torch.manual_seed(0)
        for one in CASES[name](options.repetitions):
            print(f"{one.case}: {one.what}: {one.ratio} {one.bar} {one.aside}", flush=True)
            findings.append(one)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(updated(page, findings, origin=Origin.here(), order=list(CASES)), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in findings], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
