"""Models: encoders, heads, what joins them, and their weights on disk."""

from manyheads.models.acceleration import (
    Acceleration,
    accelerated,
    bfloat16_pays,
)
from manyheads.models.adapter import (
    Adapted,
    adapt,
)
from manyheads.models.averaged import (
    Averaged,
)
from manyheads.models.checkpoint import (
    load_weights,
    save_weights,
)
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
from manyheads.models.folding import (
    folded,
)
from manyheads.models.generators import (
    GeneratorDecoder,
    GeneratorEncoder,
    NormMaker,
    PerInstance,
    PerturbationGenerator,
    Perturber,
    Universal,
    gap_generator,
    instance_norm,
    mta_generator,
)
from manyheads.models.heads import (
    DecoderMaker,
    dense_heads,
    drn_heads,
    linear_heads,
    shared_tail_heads,
)
from manyheads.models.initialisation import (
    seeded,
)
from manyheads.models.mtan import (
    AttendedSegNet,
    AttentionHead,
    mtan,
    mtan_heads,
)
from manyheads.models.multitask import (
    MultiTaskModel,
    Normalise,
    ParameterCounts,
)
from manyheads.models.segnet import (
    SEGNET_FILTERS,
    SMALL_SEGNET_FILTERS,
    SegNetAnswer,
    SegNetDecoder,
    SegNetEncoder,
    segnet,
    segnet_answers,
    segnet_heads,
)
from manyheads.models.view import (
    HeadView,
)

__all__ = [
    "SEGNET_FILTERS",
    "SMALL_SEGNET_FILTERS",
    "Acceleration",
    "Adapted",
    "AlexNet",
    "AttendedSegNet",
    "AttentionHead",
    "Averaged",
    "BilinearUpsampling",
    "DecoderMaker",
    "DenseResNet18",
    "DilatedDecoder",
    "DilatedResNet",
    "DilatedTail",
    "GeneratorDecoder",
    "GeneratorEncoder",
    "HeadView",
    "LeNet",
    "MultiTaskModel",
    "NormMaker",
    "Normalise",
    "ParameterCounts",
    "PerInstance",
    "PerturbationGenerator",
    "Perturber",
    "PixelDecoder",
    "ResNet18",
    "SegNetAnswer",
    "SegNetDecoder",
    "SegNetEncoder",
    "SmallConvNet",
    "SmallDecoder",
    "SmallDenseNet",
    "SmallResNet",
    "Tailed",
    "TimmEncoder",
    "Universal",
    "UpsamplingDecoder",
    "WideResNet",
    "accelerated",
    "adapt",
    "bfloat16_pays",
    "dense_heads",
    "drn_heads",
    "folded",
    "gap_generator",
    "instance_norm",
    "linear_heads",
    "load_weights",
    "mta_generator",
    "mtan",
    "mtan_heads",
    "save_weights",
    "seeded",
    "segnet",
    "segnet_answers",
    "segnet_heads",
    "shared_tail_heads",
]
