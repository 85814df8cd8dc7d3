"""Encoders: images to features. Each says in `features` how many numbers it returns per image."""

from manyheads.models.encoders.alexnet import AlexNet
from manyheads.models.encoders.lenet import LeNet
from manyheads.models.encoders.resnet import BasicBlock, ResNet18, residual_layers
from manyheads.models.encoders.small import SmallConvNet, SmallResNet
from manyheads.models.encoders.wide_resnet import PreActivationBlock, WideResNet

__all__ = [
    "AlexNet",
    "BasicBlock",
    "LeNet",
    "PreActivationBlock",
    "ResNet18",
    "SmallConvNet",
    "SmallResNet",
    "WideResNet",
    "residual_layers",
]
