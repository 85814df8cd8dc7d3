"""What it saves to attack survivors alone: the standard ensemble against all of its members on all examples.

The model is trained plainly, so that nearly every example falls to the first member and the others have nothing to do;
the more robust a model is, the less is saved. Both must break the same examples but for luck: each says how many.
"""

from collections.abc import Iterator

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from benchmarks.timing import Finding, at_least, ratio, rounds
from manyheads.attacks import WorstOf, standard_ensemble
from manyheads.models import MultiTaskModel, SmallConvNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, Loss, TaskLoss, ThreatModel

DIGIT = classify("digit", classes=10)
BUDGET = Linf(0.3)
EXAMPLES, STEPS, QUERIES = 32, 20, 200


def digits() -> tuple[Tensor, Tensor]:
    """Return scikit-learn's digits and their classes."""
    image, label = load_digits(return_X_y=True)
    return torch.tensor(image / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(label)


def trained(image: Tensor, label: Tensor, *, epochs: int = 15) -> nn.Module:
    """Train a small network plainly."""
    encoder = SmallConvNet(channels=1)
    model = MultiTaskModel(encoder, linear_heads([DIGIT], features=encoder.features))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(image)).split(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(image[rows])["digit"], label[rows]).backward()
            optimizer.step()
    return model.eval()


def attacker(model: nn.Module, label: Tensor) -> Loss:
    """Make what an attack on the head sees."""
    objective = TaskLoss([DIGIT], {"digit": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[DIGIT], objective=objective, budget=BUDGET)
    return threat.loss({"label": label})


def together(ensemble: WorstOf, loss: Loss, image: Tensor) -> int:
    """Run the ensemble and count what it wins."""
    return int(loss.won(ensemble(loss, image, BUDGET, rng=torch.Generator().manual_seed(0))).sum())


def apart(ensemble: WorstOf, loss: Loss, image: Tensor) -> int:
    """Run every member on every example and count what any of them wins."""
    won = torch.zeros(len(image), dtype=torch.bool)
    for member in ensemble.attacks:
        won |= loss.won(member(loss, image, BUDGET, rng=torch.Generator().manual_seed(0)))
    return int(won.sum())


def run(repetitions: int) -> Iterator[Finding]:
    """Measure both ways."""
    image, label = digits()
    model = trained(image[:1500], label[:1500])
    image, label = image[1500:][:EXAMPLES], label[1500:][:EXAMPLES]
    loss, ensemble = attacker(model, label), standard_ensemble(DIGIT, steps=STEPS, queries=QUERIES)
    won = {"survivors": 0, "everyone": 0}

    def survivors() -> None:
        won["survivors"] = together(ensemble, loss, image)

    def everyone() -> None:
        won["everyone"] = apart(ensemble, loss, image)

    times = rounds({"survivors": survivors, "everyone": everyone}, repetitions=repetitions)
    right = int((~loss.won(image)).sum())
    yield at_least(
        3.0,
        case="survivors",
        what=f"standard ensemble on all examples / on survivors, plain model, {EXAMPLES} digits",
        found=ratio(times, of="everyone", to="survivors"),
        aside=f"{won['everyone']} and {won['survivors']} of {EXAMPLES} are wrong afterwards, {EXAMPLES - right} before",
    )
