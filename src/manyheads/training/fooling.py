"""The training step of generators: what they make of an image shall raise the objectives of frozen victims."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from manyheads.attacks import check, differentiate
from manyheads.data import is_joint, part
from manyheads.threats import Loss, ThreatModel, perturbed
from manyheads.types import Batch, Image


@dataclass(frozen=True)
class Fooling:
    """Train a perturber to raise the objective of one threat model per task.

    The model that `fit` trains with this step is the perturber; the victims are the threats' models. They are seen in
    eval mode and left as found: no gradients, modes or running statistics of theirs change. Put them on the device
    where the perturber is trained.

    With a batch of one loader all tasks share its images, so that a shared encoder runs once; with a batch of `Joint`
    loaders each task has the images of the loader of its name. An image and its perturbation, scaled to the threat's
    budget and added, are clamped to [0, 1]. All examples of a batch count alike, whether their truth is known or not.

    Args:
        threats: who attacks what within which budget, by the perturber's task names. Of one model with many heads give
            a threat per head.

    Raises:
        ValueError: if there is no threat.

    Reference: Guo et al. 2020 (MTA), eqs. 1 to 4. Differs from it in: the objective is the threats' own (the paper's
    is `Logarithmic`), their weights are those of `fit`'s `combine` (the paper's are equal), images are clamped.
    """

    threats: Mapping[str, ThreatModel]

    def __post_init__(self) -> None:
        """Refuse to fool nobody."""
        if not self.threats:
            raise ValueError("there is nobody to fool; give a threat model for each task of the perturber")

    def __call__(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Return minus the mean objective of each task.

        Raises:
            ValueError: if the threats are not for the perturber's tasks, images are not in [0, 1], a victim has no head
                for what its objective attacks, or an objective does not depend on the image.
        """
        joint = is_joint(batch)
        batches = {name: part(batch, name) if joint else batch for name in self.threats}
        images = {name: given["image"] for name, given in batches.items()}
        for image in images.values() if joint else [batch["image"]]:
            check(image)
        raw = model(images)
        return {
            name: _minus_mean(threat.loss(batches[name]), perturbed(images[name], raw=raw[name], budget=threat.budget))
            for name, threat in self.threats.items()
        }


def _minus_mean(loss: Loss, image: Image) -> Tensor:
    """Minus the mean objective, which passes to the image the gradient that was found in the victim beforehand.

    So the victim is asked for no other gradient, and its activations are gone before the next one runs.
    """
    with loss.in_eval_mode(), torch.enable_grad():
        value, gradient = differentiate(loss, image)
    # Zero in value: it only carries the gradient.
    carrier = (gradient * (image - image.detach())).sum()
    return -(value.sum() + carrier) / len(image)
