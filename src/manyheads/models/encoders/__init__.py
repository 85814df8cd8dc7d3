"""Encoders: images to features. Each says in `features` how many it returns per image, or per place of a map."""

from manyheads.models.encoders.alexnet import AlexNet
from manyheads.models.encoders.dense_resnet import DenseResNet18
from manyheads.models.encoders.dilated import Bottleneck, DilatedResNet, DilatedTail
from manyheads.models.encoders.lenet import LeNet
from manyheads.models.encoders.resnet import BasicBlock, ResNet18, residual_layers
from manyheads.models.encoders.small import SmallConvNet, SmallResNet
from manyheads.models.encoders.small_dense import SmallDenseNet
from manyheads.models.encoders.stride import check_sides
from manyheads.models.encoders.tailed import Tailed
from manyheads.models.encoders.timm_encoder import TimmEncoder
from manyheads.models.encoders.wide_resnet import PreActivationBlock, WideResNet

__all__ = [
    "AlexNet",
    "BasicBlock",
    "Bottleneck",
    "DenseResNet18",
    "DilatedResNet",
    "DilatedTail",
    "LeNet",
    "PreActivationBlock",
    "ResNet18",
    "SmallConvNet",
    "SmallDenseNet",
    "SmallResNet",
    "Tailed",
    "TimmEncoder",
    "WideResNet",
    "check_sides",
    "residual_layers",
]
