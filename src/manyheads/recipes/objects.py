"""Recipes for colour images of 32×32 pixels and more: SVHN, GTSRB, CIFAR-10, Tiny ImageNet, Office-31, any folder."""

from dataclasses import replace

from manyheads.attacks import CW, PGD
from manyheads.experiments import Architecture, Data, Experiment, Hardening, Training, Trial
from manyheads.threats import L2, Linf
from manyheads.training import SGD, OneCycle, StepDecay

EPS, STEP = 8 / 255, 2 / 255
"""The usual budget of colour images, and the step of PGD in it, in [0, 1] pixel units."""


def gtsrb() -> Experiment:
    """German traffic signs at 32×32 pixels with a small ResNet, hardened with two-step PGD: minutes on two cores."""
    return Experiment(
        name="gtsrb",
        data=Data("gtsrb"),
        main="sign",
        hidden={"shape": "gtsrb/shape", "content": "gtsrb/content"},
        architecture=Architecture("small_resnet"),
        training=Training(
            epochs=8,
            batch_size=64,
            optimizer=SGD(0.1),
            schedule=OneCycle(rise=0.3),
            hardening=Hardening(PGD(steps=2, step_size=5 / 255), Linf(EPS), ramp=0.3),
            selection=PGD(steps=7, step_size=STEP),
            selection_examples=300,
        ),
        trials=_trials(examples=500, cw=CW(steps=50, learning_rate=0.01), cw_examples=50),
        sweep=(2 / 255, 4 / 255, 16 / 255),
        sweep_examples=200,
    )


def cifar10() -> Experiment:
    """CIFAR-10 with a small ResNet, hardened with two-step PGD: under an hour on two cores."""
    base = gtsrb()
    return replace(
        base,
        name="cifar10",
        data=Data("cifar10", flip=True, crop_padding=4),
        main="object",
        hidden={"kind": "cifar10/kind", "habitat": "cifar10/habitat"},
        training=replace(base.training, epochs=12, batch_size=128),
    )


def svhn() -> Experiment:
    """Street-view house numbers with the settings of `cifar10`, never mirrored."""
    base = cifar10()
    hidden = {"parity": "svhn/parity", "prime": "svhn/prime"}
    return replace(base, name="svhn", data=Data("svhn"), main="digit", hidden=hidden)


def tiny_imagenet() -> Experiment:
    """Tiny ImageNet at 32×32 pixels with the settings of `cifar10`."""
    return replace(
        cifar10(),
        name="tiny-imagenet",
        data=Data("tiny_imagenet", size=32, flip=True, crop_padding=4),
        hidden={"origin": "tiny_imagenet/origin", "animal_machine": "tiny_imagenet/animal_machine"},
    )


def office31() -> Experiment:
    """Office-31's Amazon domain at 112×112 pixels with AlexNet."""
    base = gtsrb()
    return replace(
        base,
        name="office31",
        data=Data("office31", size=112, flip=True),
        main="object",
        hidden={"electric": "office31/electric"},
        architecture=Architecture("alexnet"),
        training=replace(base.training, epochs=30, optimizer=SGD(0.01)),
    )


def image_folder() -> Experiment:
    """Any folder of class folders at 32×32 pixels, without hidden tasks until you give label maps of your own.

    A label map is a TOML file with a table `[groups]` that lists class names group by group. On the command line each
    hidden task is a name and such a file; in Python they are the mapping `hidden`:

        manyheads run image_folder --data-root DIR --hidden kind kind.toml habitat habitat.toml
    """
    return replace(gtsrb(), name="image-folder", data=Data("image_folder", size=32), main="label", hidden={})


def for_gpu(quick: Experiment, *, encoder: Architecture, size: int | None, cw_rate: float) -> Experiment:
    """Give a quick recipe the paper's setting: SGD at 0.1, a tenth every 50 epochs, 200 epochs, PGD-7, all images.

    Args:
        quick: the recipe.
        encoder: the paper's encoder.
        size: side length in pixels to which images are resized; None for their own.
        cw_rate: learning rate of CW.

    Reference: Hyun & Park, IEEE Access 2024, section IV-B and C.
    """
    training = replace(
        quick.training,
        epochs=200,
        batch_size=128,
        optimizer=SGD(0.1),
        schedule=StepDecay(every=50),
        hardening=Hardening(PGD(steps=7, step_size=STEP), Linf(EPS)),
        selection=PGD(steps=7, step_size=STEP),
        selection_examples=2000,
    )
    return replace(
        quick,
        name=f"{quick.name}-paper",
        data=replace(quick.data, size=size, crop_padding=0),
        architecture=encoder,
        training=training,
        trials=_trials(examples=None, cw=CW(steps=1000, learning_rate=cw_rate), cw_examples=None),
    )


def gtsrb_paper() -> Experiment:
    """German traffic signs as in Hyun & Park 2024: AlexNet at 112×112 pixels: a GPU."""
    # AlexNet has no normalisation layers: it diverges from a random start at the paper's rate of 0.1.
    paper = for_gpu(gtsrb(), encoder=Architecture("alexnet"), size=112, cw_rate=1e-3)
    return replace(paper, training=replace(paper.training, optimizer=SGD(0.01)))


def cifar10_paper() -> Experiment:
    """CIFAR-10 as in Hyun & Park 2024: WRN-34-10, mirrored images: a GPU."""
    return for_gpu(cifar10(), encoder=Architecture("wide_resnet"), size=None, cw_rate=1e-2)


def svhn_paper() -> Experiment:
    """SVHN as in Hyun & Park 2024: ResNet-18: a GPU."""
    return for_gpu(svhn(), encoder=Architecture("resnet18"), size=None, cw_rate=1e-3)


def tiny_imagenet_paper() -> Experiment:
    """Tiny ImageNet as in Hyun & Park 2024: ResNet-18 at 32×32 pixels, mirrored images: a GPU."""
    return for_gpu(tiny_imagenet(), encoder=Architecture("resnet18"), size=32, cw_rate=1e-3)


def _trials(*, examples: int | None, cw: CW, cw_examples: int | None) -> dict[str, Trial]:
    pgd = PGD(steps=7, step_size=STEP)
    return {
        "pgd targeted": Trial(pgd, Linf(EPS), goal="targeted", examples=examples),
        "pgd untargeted": Trial(pgd, Linf(EPS), examples=examples),
        "cw": Trial(cw, L2(float("inf")), goal="margin", examples=cw_examples),
    }
