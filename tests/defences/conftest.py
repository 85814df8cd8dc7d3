"""Heads whose answers can contradict each other: one main head, three hidden ones, one of them with more classes."""

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from manyheads.tasks import Brightness, Crossing, LabelMap, Relation

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
CLASSES = 4


@pytest.fixture(scope="session")
def relations() -> dict[str, Relation]:
    return {
        "parity": LabelMap(("even", "odd"), (0, 1, 0, 1)),
        "size": LabelMap(("small", "middle", "large"), (0, 1, 1, 2)),
        "lit": Crossing(CLASSES, Brightness((0.3, 0.6))),
    }


@pytest.fixture(scope="session")
def random_outputs(relations: dict[str, Relation]) -> Callable[..., dict[str, Tensor]]:
    """Draw outputs of all heads; confident main answers agree with the hidden ones about as often as not."""

    def draw(seed: int, *, batch: int = 64) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        heads = {"digit": CLASSES, **{name: len(relation.names) for name, relation in relations.items()}}
        outputs = {name: torch.randn(batch, count, generator=generator) for name, count in heads.items()}
        agreeing = torch.rand(batch, generator=generator) < 0.6
        answer = outputs["digit"].argmax(1)
        for name, relation in relations.items():
            outputs[name] += 4 * agreeing[:, None] * relation.compatible[answer]
        return {name: output.to(DEVICE) for name, output in outputs.items()}

    return draw
