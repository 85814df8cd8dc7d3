"""How much more memory an evaluation takes where there are ten times as many images, read from files.

Each runs in a process of its own; its peak is Linux's account of it (`VmHWM`), less what it had before it began. The
account that `getrusage` gives would not do: it begins with the peak of the process that started this one.
"""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.timing import Finding, summary

FEW, MANY = 200, 2000
WORK = """
import sys, tempfile
from pathlib import Path
import numpy as np
import torch
from PIL import Image
from manyheads.attacks import FGSM
from manyheads.data import Loader, Streamed, list_classes
from manyheads.evaluation import evaluate
from manyheads.models import MultiTaskModel, SmallConvNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

def peak():
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

count = int(sys.argv[1])
torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as root:
    for number in range(count):
        folder = Path(root) / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    task = classify("label", classes=2)
    encoder = SmallConvNet(channels=3, size=64)
    model = MultiTaskModel(encoder, linear_heads([task], features=encoder.features)).eval()
    objective = TaskLoss([task], {"label": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[task], objective=objective, budget=Linf(8 / 255))
    batches = Loader(Streamed(list_classes(Path(root)), size=64), batch_size=20)
    before = peak()
    evaluate(model, threat, FGSM(), batches)
    print(peak() - before)
"""


def peak(count: int) -> int:
    """Return the kibibytes that evaluating so many images takes at its peak."""
    done = subprocess.run([sys.executable, "-c", WORK, str(count)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def run(repetitions: int) -> Iterator[Finding]:
    """Measure few rounds: each reads thousands of files."""
    found = [(peak(MANY), peak(FEW)) for _ in range(min(repetitions, 3))]
    grown = summary([(many - few) / 1024 for many, few in found])
    many, few = found[0]
    yield Finding(
        case="memory",
        what=f"MiB that evaluating {MANY} images of 64x64 in files takes more than {FEW} do, at the peak",
        ratio=grown,
        bar="≤ 30",
        holds=grown.median <= 30,
        aside=f"{many / 1024:.0f} and {few / 1024:.0f} MiB beyond the start",
    )
