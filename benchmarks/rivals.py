"""PGD beside that of other libraries: the same network, images, budget, steps and step size, in float32.

A library that cannot be imported is left out, which is said. `pip install foolbox torchattacks
adversarial-robustness-toolbox` brings them; an environment of their own keeps their demands from this package's.
"""

import importlib
import importlib.metadata
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import Action, Finding, at_least, ratio, rounds
from manyheads.attacks import PGD, Attack, Fast, LastIteratePGD
from manyheads.models import HeadView, MultiTaskModel, ResNet18, bfloat16_pays, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("main", classes=10)
STEPS, STEP_SIZE, EPS, BATCH = 10, 2 / 255, 8 / 255, 16
LIMITS = {"torchattacks": 1.0, "foolbox": 1.4, "art": 1.4}
"""How many times as long as ours each is said to take, at least; as the fast path, twice as long."""

FAST = "Fast(PGD)"
OURS: dict[str, Attack] = {
    "PGD": PGD(steps=STEPS, step_size=STEP_SIZE),
    "LastIteratePGD": LastIteratePGD(steps=STEPS, step_size=STEP_SIZE),
    FAST: Fast(PGD(steps=STEPS, step_size=STEP_SIZE)),
}
"""`PGD` judges its last step too, a pass more than the others take; `LastIteratePGD` does what they do."""


def torchattacks(view: nn.Module, image: Tensor, label: Tensor) -> Action:
    """Make the attack of torchattacks."""
    library = importlib.import_module("torchattacks")
    attack = library.PGD(view, eps=EPS, alpha=STEP_SIZE, steps=STEPS, random_start=True)
    return lambda: attack(image, label)


def foolbox(view: nn.Module, image: Tensor, label: Tensor) -> Action:
    """Make the attack of Foolbox."""
    library = importlib.import_module("foolbox")
    model = library.PyTorchModel(view, bounds=(0, 1), device="cpu")
    attack = library.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=STEPS, random_start=True)
    return lambda: attack(model, image, label, epsilons=EPS)


def art(view: nn.Module, image: Tensor, label: Tensor) -> Action:
    """Make the attack of the Adversarial Robustness Toolbox."""
    estimators: Any = importlib.import_module("art.estimators.classification")
    evasion: Any = importlib.import_module("art.attacks.evasion")
    classifier = estimators.PyTorchClassifier(
        model=view,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(image.shape[1:]),
        nb_classes=TASK.channels,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    settings = {"eps": EPS, "eps_step": STEP_SIZE, "max_iter": STEPS, "num_random_init": 1, "batch_size": BATCH}
    attack = evasion.ProjectedGradientDescent(classifier, **settings, verbose=False)
    return lambda: attack.generate(x=image.numpy(), y=label.numpy())


MAKERS: dict[str, Callable[[nn.Module, Tensor, Tensor], Action]] = {
    "torchattacks": torchattacks,
    "foolbox": foolbox,
    "art": art,
}
PACKAGES = {"art": "adversarial-robustness-toolbox"}
"""What a library is installed as, where that is not its name."""


def run(repetitions: int) -> Iterator[Finding]:
    """Measure ours beside every library that is there."""
    encoder = ResNet18()
    model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
    view = HeadView(model, TASK).eval()
    image, label = torch.rand(BATCH, 3, 32, 32), torch.arange(BATCH) % TASK.channels
    objective = TaskLoss([TASK], {"main": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[TASK], objective=objective, budget=Linf(EPS))
    loss = threat.loss({"label": label})

    def ours(attack: Attack) -> Action:
        return lambda: attack(loss, image, threat.budget, rng=torch.Generator().manual_seed(0))

    actions: dict[str, Action] = {name: ours(attack) for name, attack in OURS.items()}
    for name, make in MAKERS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                actions[name] = make(view, image, label)
        except (ImportError, RuntimeError) as error:  # torchvision built for another torch raises the latter
            print(f"  {name} left out: {str(error).splitlines()[0]}")
    times = rounds(actions, repetitions=repetitions)
    for name in (name for name in actions if name in MAKERS):
        version = importlib.metadata.version(PACKAGES.get(name, name))
        for mine in OURS:
            what = f"PGD-{STEPS} of {name} {version} / our {mine}, ResNet-18, {BATCH} images of 32x32"
            found = ratio(times, of=name, to=mine)
            if mine == FAST and not bfloat16_pays(image.device):
                yield Finding(case="rivals", what=what, ratio=found, aside="no bfloat16 units here")
            else:
                yield at_least(2.0 if mine == FAST else LIMITS[name], case="rivals", what=what, found=found)
