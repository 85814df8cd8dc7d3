"""Models: encoders, heads, what joins them, and their weights on disk."""

from manyheads.models.adapter import Adapted, adapt
from manyheads.models.averaged import Averaged
from manyheads.models.checkpoint import load_weights, save_weights
from manyheads.models.decoders import (
    BilinearUpsampling,
    DilatedDecoder,
    PixelDecoder,
    SmallDecoder,
    UpsamplingDecoder,
)
from manyheads.models.encoders import (
    AlexNet,
    DenseResNet18,
    DilatedResNet,
    DilatedTail,
    LeNet,
    ResNet18,
    SmallConvNet,
    SmallDenseNet,
    SmallResNet,
    Tailed,
    TimmEncoder,
    WideResNet,
)
from manyheads.models.heads import DecoderMaker, dense_heads, drn_heads, linear_heads, shared_tail_heads
from manyheads.models.initialisation import seeded
from manyheads.models.multitask import MultiTaskModel, Normalise, ParameterCounts
from manyheads.models.view import HeadView

__all__ = [
    "Adapted",
    "AlexNet",
    "Averaged",
    "BilinearUpsampling",
    "DecoderMaker",
    "DenseResNet18",
    "DilatedDecoder",
    "DilatedResNet",
    "DilatedTail",
    "HeadView",
    "LeNet",
    "MultiTaskModel",
    "Normalise",
    "ParameterCounts",
    "PixelDecoder",
    "ResNet18",
    "SmallConvNet",
    "SmallDecoder",
    "SmallDenseNet",
    "SmallResNet",
    "Tailed",
    "TimmEncoder",
    "UpsamplingDecoder",
    "WideResNet",
    "adapt",
    "dense_heads",
    "drn_heads",
    "linear_heads",
    "load_weights",
    "save_weights",
    "seeded",
    "shared_tail_heads",
]
