"""Models: encoders, heads, what joins them, and their weights on disk."""

from manyheads.models.checkpoint import load_weights, save_weights
from manyheads.models.encoders import AlexNet, LeNet, ResNet18, SmallConvNet, SmallResNet, WideResNet
from manyheads.models.heads import linear_heads
from manyheads.models.initialisation import seeded
from manyheads.models.multitask import MultiTaskModel, Normalise, ParameterCounts
from manyheads.models.view import HeadView

__all__ = [
    "AlexNet",
    "HeadView",
    "LeNet",
    "MultiTaskModel",
    "Normalise",
    "ParameterCounts",
    "ResNet18",
    "SmallConvNet",
    "SmallResNet",
    "WideResNet",
    "linear_heads",
    "load_weights",
    "save_weights",
    "seeded",
]
