"""Accuracy of a segmentation's pixels, over the number of them that are attacked together.

Reference: Mao et al., ECCV 2020, section 5.3, figure 4b.
"""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from manyheads.attacks import Attack
from manyheads.evaluation.evaluate import check_budget
from manyheads.evaluation.gradients import Judged
from manyheads.evaluation.pixel_draws import PixelDraws, only
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, Task
from manyheads.threats import Budget, Loss, TaskLoss
from manyheads.types import Batch


def pixel_accuracy(
    model: nn.Module,
    task: Task,
    batches: Iterable[Batch],
    *,
    budget: Budget,
    attacks: Mapping[str, Attack],
    draws: PixelDraws,
) -> pl.DataFrame:
    """Attack random pixels of the output through their own loss alone, and count those that are still right.

    One row per number, draw and attack: `number`, `draw`, `attack` (its name; `clean` for the images as they are),
    `accuracy` (the share of the attacked pixels that are right) and `n` pixels. Examples with fewer known pixels than
    the largest number are left out.

    Args:
        model: any module that maps images to a dict of outputs.
        task: a segmentation.
        batches: dict batches with `image` and annotations.
        budget: which images are allowed.
        attacks: the searches, by name.
        draws: which pixels.

    Raises:
        ValueError: if no example has so many known pixels, an attack is called `clean`, or leaves its budget.
    """
    if "clean" in attacks:
        raise ValueError("`clean` is what the images before any attack are called; call the attack something else")
    counts: dict[tuple[int, int, str], Tensor] = {}
    for examples in draws.examples(model, task, batches):
        for number, draw, truth in _drawn(task, examples, draws=draws):
            loss = Loss(model, TaskLoss([task], {task.name: 1.0}), None, {task.name: truth})
            images = {"clean": examples.image}
            for name, attack in attacks.items():
                streams = Streams.of_examples(examples.index, seed=draws.seed, stage=f"pixels attacked by {name}")
                images[name] = attack(loss, examples.image, budget, rng=streams.fork(draw))
                check_budget(images[name], clean=examples.image, budget=budget)
            for name, image in images.items():
                counted = _right(loss, image, task=task)
                counts[number, draw, name] = counts.get((number, draw, name), 0) + counted
    return pl.DataFrame(
        [
            {"number": number, "draw": draw, "attack": name, "accuracy": right / pixels, "n": int(pixels)}
            for (number, draw, name), (right, pixels) in ((key, value.tolist()) for key, value in counts.items())
        ]
    )


@torch.no_grad()
def _right(loss: Loss, image: Tensor, *, task: Task) -> Float64[Tensor, " 2"]:
    """Count the attacked pixels that are right, and the attacked pixels."""
    truth = loss.truth[task.name]
    right = loss.outputs(image)[task.name].argmax(1) == truth
    return torch.stack([right.sum(), (truth != UNKNOWN_CLASS).sum()]).double().cpu()


def _drawn(task: Task, examples: Judged, *, draws: PixelDraws) -> Iterator[tuple[int, int, Tensor]]:
    """Yield every number, draw and truth with all other pixels unknown."""
    truth = examples.truth[task.name]
    for draw in range(draws.draws):
        order = draws.order(truth, examples.index, draw=draw)
        for number in draws.numbers:
            yield number, draw, only(order[:, :number], truth)
