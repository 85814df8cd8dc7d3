"""What it saves to attack survivors alone: the standard ensemble against all of its members on all examples.

The model is trained plainly, so that nearly every example falls to the first member and the others have nothing to do;
the more robust a model is, the less is saved. Both are run in turn on the same batch in one process, on one thread, in
float32; the ratio is taken round by round. Both must break the same examples but for luck: each says how many.

    python benchmarks/survivors.py --repetitions 5
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from manyheads.attacks import WorstOf, standard_ensemble
from manyheads.models import MultiTaskModel, SmallConvNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, Loss, TaskLoss, ThreatModel

DIGIT = classify("digit", classes=10)
BUDGET = Linf(0.3)


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


def timed(action: Callable[[], int]) -> tuple[float, int]:
    """Return the processor's seconds and what came of it."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def main() -> None:
    """Measure and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5, help="rounds")
    parser.add_argument("--examples", type=int, default=32, help="images at once")
    parser.add_argument("--steps", type=int, default=20, help="steps of APGD and FAB")
    parser.add_argument("--queries", type=int, default=200, help="queries of Square")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    image, label = digits()
    model = trained(image[:1500], label[:1500])
    image, label = image[1500:][: options.examples], label[1500:][: options.examples]
    loss, ensemble = attacker(model, label), standard_ensemble(DIGIT, steps=options.steps, queries=options.queries)
    clean = int((~loss.won(image)).sum())
    print(
        f"standard ensemble, {options.steps} steps, {options.queries} queries, L-infinity {BUDGET.eps}, {len(image)} "
        f"digits of which {clean} are right, one thread, torch {torch.__version__}, n={options.repetitions}"
    )
    ratios = []
    for _ in range(options.repetitions):
        short, survivors = timed(lambda: together(ensemble, loss, image))
        long, everyone = timed(lambda: apart(ensemble, loss, image))
        ratios.append(long / short)
        print(f"survivors alone {short:.1f} s, {survivors} won; everyone {long:.1f} s, {everyone} won")
    print(f"ratio {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
