"""Recipes for digits: scikit-learn's 8×8 images (no download), MNIST, Fashion-MNIST and SVHN."""

from dataclasses import replace

from manyheads.attacks import CW, PGD
from manyheads.experiments import Architecture, Data, Experiment, Hardening, Training, Trial
from manyheads.threats import L2, Linf
from manyheads.training import SGD, Adam, OneCycle, StepDecay


def digits() -> Experiment:
    """scikit-learn's 1797 digits of 8×8 pixels, hardened, parity and primality hidden: a minute on one core."""
    eps = 0.15
    return Experiment(
        name="digits",
        main="digit",
        hidden={"parity": "digits/parity", "prime": "digits/prime"},
        training=Training(
            epochs=15,
            batch_size=64,
            optimizer=Adam(3e-3),
            hardening=Hardening(PGD(steps=3, step_size=0.08), Linf(eps), ramp=0.3),
            selection=PGD(steps=10, step_size=0.04),
            selection_examples=150,
        ),
        trials={
            "pgd targeted": Trial(PGD(steps=20, step_size=0.02), Linf(eps), goal="targeted", examples=250),
            "pgd untargeted": Trial(PGD(steps=20, step_size=0.02), Linf(eps), examples=250),
            "cw": Trial(CW(steps=60, learning_rate=0.05), L2(float("inf")), goal="margin", examples=60),
        },
        sweep=(0.05, 0.1, 0.2, 0.3),
        sweep_examples=100,
    )


def mnist() -> Experiment:
    """MNIST with the LeNet of Madry et al., hardened in 3 epochs of two-step PGD: minutes on two cores."""
    eps = 0.3
    return Experiment(
        name="mnist",
        data=Data("mnist"),
        main="digit",
        hidden={"parity": "mnist/parity", "prime": "mnist/prime"},
        architecture=Architecture("lenet"),
        training=Training(
            epochs=3,
            batch_size=64,
            optimizer=Adam(2e-3),
            schedule=OneCycle(rise=0.3),
            hardening=Hardening(PGD(steps=2, step_size=0.2), Linf(eps), ramp=0.3),
            selection=PGD(steps=10, step_size=0.075),
            selection_examples=200,
        ),
        trials={
            "pgd targeted": Trial(PGD(steps=40, step_size=0.01), Linf(eps), goal="targeted", examples=250),
            "pgd untargeted": Trial(PGD(steps=40, step_size=0.01), Linf(eps), examples=250),
            "cw": Trial(CW(steps=50, learning_rate=0.05), L2(float("inf")), goal="margin", examples=50),
        },
        sweep=(0.2, 0.4),
        sweep_examples=100,
    )


def mnist_paper() -> Experiment:
    """MNIST as in Hyun & Park 2024: SGD at 0.1, a tenth every 50 epochs, 200 epochs, PGD-40, all test images: a GPU."""
    quick = mnist()
    training = replace(
        quick.training,
        epochs=200,
        batch_size=128,
        optimizer=SGD(0.1),
        schedule=StepDecay(every=50),
        hardening=Hardening(PGD(steps=40, step_size=0.01), Linf(0.3)),
        selection=PGD(steps=40, step_size=0.01),
        selection_examples=6000,
    )
    cw = Trial(CW(steps=1000, learning_rate=0.01), L2(float("inf")), goal="margin")
    pgd = {name: replace(trial, examples=None) for name, trial in quick.trials.items() if name != "cw"}
    return replace(quick, name="mnist-paper", training=training, trials={**pgd, "cw": cw})


def fashion_mnist() -> Experiment:
    """Fashion-MNIST with the settings of `mnist` at an eps of 0.1."""
    base = mnist()
    hardening = Hardening(PGD(steps=2, step_size=0.07), Linf(0.1), ramp=0.3)
    trials = {
        name: trial if name == "cw" else replace(trial, budget=Linf(0.1), attack=PGD(steps=40, step_size=0.005))
        for name, trial in base.trials.items()
    }
    return replace(
        base,
        name="fashion-mnist",
        data=Data("fashion_mnist"),
        main="garment",
        hidden={"worn": "fashion_mnist/worn", "weather": "fashion_mnist/weather"},
        training=replace(base.training, hardening=hardening, selection=PGD(steps=10, step_size=0.025)),
        trials=trials,
        sweep=(0.05, 0.2),
    )
