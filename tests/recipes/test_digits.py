"""What is fixed by the paper, or by what a budget means, in the recipes for digits and garments."""

from manyheads.attacks import CW, PGD
from manyheads.experiments import Hardening
from manyheads.recipes import digits, fashion_mnist, mnist, mnist_paper
from manyheads.threats import L2, Linf
from manyheads.training import SGD, StepDecay


def test_mnist_is_trained_and_attacked_as_in_the_paper() -> None:
    paper = mnist_paper()
    training = paper.training
    assert (training.epochs, training.optimizer, training.schedule) == (200, SGD(0.1), StepDecay(every=50, by=10.0))
    assert training.hardening == Hardening(PGD(steps=40, step_size=0.01), Linf(0.3))
    assert paper.architecture.encoder == "lenet"
    assert paper.hidden == {"parity": "mnist/parity", "prime": "mnist/prime"}
    assert {name: (trial.attack, trial.budget, trial.goal) for name, trial in paper.trials.items()} == {
        "pgd targeted": (PGD(steps=40, step_size=0.01), Linf(0.3), "targeted"),
        "pgd untargeted": (PGD(steps=40, step_size=0.01), Linf(0.3), "untargeted"),
        "cw": (CW(steps=1000, learning_rate=0.01), L2(float("inf")), "margin"),
    }
    assert {trial.examples for trial in paper.trials.values()} == {None}


def test_the_quick_recipe_attacks_like_the_paper_on_fewer_images() -> None:
    quick, paper = mnist(), mnist_paper()
    for name in ("pgd targeted", "pgd untargeted"):
        assert quick.trials[name].attack == paper.trials[name].attack
        assert quick.trials[name].budget == paper.trials[name].budget
        assert quick.trials[name].examples is not None


def test_garments_are_hardened_against_the_budget_that_attacks_them() -> None:
    recipe = fashion_mnist()
    assert recipe.data.name == "fashion_mnist"
    assert recipe.training.hardening.budget == Linf(0.1)
    assert {name: trial.budget for name, trial in recipe.trials.items() if name != "cw"} == {
        "pgd targeted": Linf(0.1),
        "pgd untargeted": Linf(0.1),
    }
    assert recipe.trials["pgd targeted"].goal == "targeted"


def test_digits_need_no_files() -> None:
    recipe = digits()
    assert (recipe.data.name, recipe.data_root, recipe.data.root) == ("digits", None, None)
    assert recipe.training.hardening.budget == recipe.trials["pgd untargeted"].budget
