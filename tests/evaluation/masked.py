"""A small healthy classifier, and defences that only hide its gradients."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("digit", classes=4)
BUDGET = Linf(0.1)


def images(count: int, *, seed: int) -> dict[str, Tensor]:
    """Four blurred shapes of 6×6 pixels with noise, on sixteen grey levels."""
    shapes = 0.3 + 0.4 * torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(11))
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(count) % 4
    image = shapes[label] + 0.08 * torch.randn(count, 1, 6, 6, generator=generator)
    return {"image": ((image * 16).round() / 16).clamp(0, 1), "label": label, "index": torch.arange(count)}


def trained(seed: int = 0) -> nn.Module:
    """A network of two layers that knows the shapes, in a tenth of a second."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(36, 24), nn.Tanh(), nn.Linear(24, 4))
    batch = images(256, seed=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch["image"]), batch["label"]).backward()
        optimizer.step()
    return model.eval().requires_grad_(requires_grad=False)


class Masked(nn.Module):
    """A classifier behind something that is done to its images, and something done to its logits."""

    def __init__(
        self,
        model: nn.Module,
        *,
        image: Callable[[Tensor], Tensor] = lambda image: image,
        logits: Callable[[Tensor], Tensor] = lambda logits: logits,
    ) -> None:
        super().__init__()
        self.model, self.image, self.logits = model, image, logits

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"digit": self.logits(self.model(self.image(image)))}


def quantised(image: Tensor) -> Tensor:
    """Round to nine grey levels: the gradient is zero everywhere."""
    return (8 * image).round() / 8


def mirage(image: Tensor) -> Tensor:
    """Leave the image, but turn its gradient round wherever it is not a clean one."""
    clean = ((16 * image).round() - 16 * image).abs().amax((1, 2, 3), keepdim=True) < 1e-4
    sign = torch.where(clean, 1.0, -1.0)
    return sign * image + (1 - sign) * image.detach()


class Noise:
    """Draws anew at every call."""

    def __init__(self, size: float) -> None:
        self.size, self.generator = size, torch.Generator().manual_seed(0)

    def __call__(self, image: Tensor) -> Tensor:
        return image + self.size * torch.randn(image.shape, generator=self.generator)


def attacker(model: nn.Module) -> ThreatModel:
    return ThreatModel(
        name="gray-box", model=model, tasks=[TASK], objective=TaskLoss([TASK], {"digit": 1.0}), budget=BUDGET
    )
