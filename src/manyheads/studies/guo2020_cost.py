"""Table 7 of Guo et al. 2020: parameters of both methods' generators, and the time of three perturbations."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from manyheads.experiments import Method, PerturbationKind
from manyheads.experiments.files import keep
from manyheads.models import PerInstance, Perturber, Universal, gap_generator, mta_generator, seeded
from manyheads.reports import Cell, Column, Row, Section, Table, quantity
from manyheads.studies.guo2020_measured import printed_in
from manyheads.studies.guo2020_printed import printed_cost
from manyheads.studies.guo2020_wishes import METHODS

TASKS = ("segmentation", "depth", "normals")
"""Each of them gets its perturbation of one image."""

WIDTH = 20
"""Width of the generators, which the paper does not tell; by it their sizes are the printed ones."""

BLOCKS: dict[PerturbationKind, int] = {"universal": 4, "per_instance": 10}
"""The paper's residual blocks on NYUv2."""

_MAKERS = {"gap": gap_generator, "mta": mta_generator}


@dataclass(frozen=True)
class Cost:
    """What one method's generators cost.

    Args:
        kind: universal or per instance.
        method: whose generators.
        parameters: how many numbers they have, all tasks' together.
        milliseconds: time of the perturbations of one image, one per task, in each repetition.
    """

    kind: PerturbationKind
    method: Method
    parameters: int
    milliseconds: tuple[float, ...]


def measure_costs(*, size: tuple[int, int], repeats: int, device: torch.device | None = None) -> tuple[Cost, ...]:
    """Count parameters and take times, the methods in turn in each repetition, so that both see the same machine.

    The generators have their initial weights: time does not depend on them. All tasks share the image, and the pattern
    of a universal generator. One repetition before all others is not counted.

    Args:
        size: height and width of the image.
        repeats: how often times are taken.
        device: where; None for the processor.
    """
    place = device or torch.device("cpu")
    image = torch.zeros(1, 3, *size, device=place)
    found = []
    for kind in BLOCKS:
        perturbers: dict[Method, Perturber] = {
            method: _perturber(kind, method, size=size).to(place).eval() for method in METHODS
        }
        times: dict[Method, list[float]] = {method: [] for method in METHODS}
        for _ in range(repeats + 1):
            for method, perturber in perturbers.items():
                times[method].append(_milliseconds(lambda one=perturber: one(dict.fromkeys(TASKS, image)), place))
        for method, perturber in perturbers.items():
            count = perturber.generator.parameter_counts().total
            found.append(Cost(kind, method, count, tuple(times[method][1:])))
    return tuple(found)


def costs(path: Path, *, size: tuple[int, int], repeats: int) -> tuple[Cost, ...]:
    """Read the costs from a file, or measure them and write it, with the machine's threads.

    Args:
        path: the file, JSON.
        size: height and width of the image.
        repeats: how often times are taken.
    """
    if not path.exists():
        content = [asdict(cost) for cost in measure_costs(size=size, repeats=repeats)]
        keep(path, (json.dumps({"threads": torch.get_num_threads(), "size": size, "costs": content}) + "\n").encode())
    rows = json.loads(path.read_text(encoding="utf-8"))["costs"]
    return tuple(Cost(row["kind"], row["method"], row["parameters"], tuple(row["milliseconds"])) for row in rows)


def cost_section(path: Path) -> Section:
    """Show Table 7.

    Args:
        path: what `costs` wrote.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    size = (said["size"][0], said["size"][1])
    found = costs(path, size=size, repeats=0)
    text = (
        f"Generators of width {WIDTH} with {BLOCKS['universal']} (universal) and {BLOCKS['per_instance']} (per "
        f"instance) residual blocks; three perturbations of one image of {size[0]}×{size[1]} pixels on the processor, "
        f"{said['threads']} thread(s). The methods were timed in turn; times are medians of "
        f"{len(found[0].milliseconds)}, with the shortest and the longest. The paper's times are of another machine: "
        "compare ratios."
    )
    return Section(title="Table 7: storage and time", text=(text, _ratios(found)), tables=(_table(found),))


def _table(found: tuple[Cost, ...]) -> Table:
    millions, time = quantity("million"), quantity("ms")
    rows = []
    for cost in found:
        parameters, milliseconds = printed_cost(cost.kind, method=cost.method)
        low, high = min(cost.milliseconds), max(cost.milliseconds)
        cells = (
            printed_in(Cell(value=cost.parameters / 1e6, measure=millions), parameters),
            printed_in(Cell(value=median(cost.milliseconds), low=low, high=high, measure=time), milliseconds),
        )
        rows.append(Row(labels=(cost.kind.replace("_", " "), cost.method.upper()), cells=cells))
    columns = (Column("", "parameters (million)"), Column("", "time of three perturbations (ms)"))
    return Table(title="Cost", stub=("perturbation", "method"), columns=columns, rows=tuple(rows))


def _ratios(found: tuple[Cost, ...]) -> str:
    by_name = {(cost.kind, cost.method): cost for cost in found}
    parts = []
    for kind in BLOCKS:
        gap, mta = (by_name[kind, method] for method in METHODS)
        paper = [printed_cost(kind, method=method) for method in METHODS]
        size, time = mta.parameters / gap.parameters, median(mta.milliseconds) / median(gap.milliseconds)
        parts.append(
            f"{kind.replace('_', ' ')} {size:.2f} of the parameters (paper {paper[1][0] / paper[0][0]:.2f}) and "
            f"{time:.2f} of the time (paper {paper[1][1] / paper[0][1]:.2f})"
        )
    return f"MTA needs, as a part of what GAP needs: {'; '.join(parts)}."


def _perturber(kind: PerturbationKind, method: Method, *, size: tuple[int, int]) -> Perturber:
    def build() -> Perturber:
        generator = _MAKERS[method](TASKS, width=WIDTH, blocks=BLOCKS[kind])
        if kind == "per_instance":
            return PerInstance(generator)
        return Universal(generator, size=size, patterns=dict.fromkeys(TASKS, "all"))

    return seeded(build, seed=0)


@torch.no_grad()
def _milliseconds(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1000 * (perf_counter() - begin)
