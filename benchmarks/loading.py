"""What the loader costs beside indexing the same pixels in memory."""

from collections.abc import Iterator

import torch

from benchmarks.timing import Finding, Ratio, ratio, rounds
from manyheads.data import InMemory, Loader

EXAMPLES, BATCH = 8192, 128


def run(repetitions: int) -> Iterator[Finding]:
    """Measure an epoch of shuffled batches, without augmentation."""
    images = torch.randint(0, 256, (EXAMPLES, 3, 32, 32), dtype=torch.uint8)
    labels = torch.arange(EXAMPLES) % 10
    loader = Loader(InMemory(images, labels, tuple("abcdefghij")), batch_size=BATCH, shuffle=True)

    def ours() -> None:
        for batch in loader:
            batch["image"].shape  # noqa: B018 (what is measured is that it is there)

    def floor() -> None:
        for rows in torch.randperm(EXAMPLES).split(BATCH):
            images[rows].float().div(255)

    times = rounds({"ours": ours, "floor": floor}, repetitions=repetitions)
    found: Ratio = ratio(times, of="ours", to="floor")
    per_second = EXAMPLES / min(times["ours"])
    what = f"an epoch of {EXAMPLES} images of 32x32 in memory / indexing them"
    yield Finding(case="loading", what=what, ratio=found, aside=f"{per_second:,.0f} images a second")
