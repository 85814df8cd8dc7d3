"""Data: readers of the official layouts, and loaders of dict batches."""

from manyheads.data.augment import Augmentation, Crop, Flip, RandomCrop
from manyheads.data.cifar10 import cifar10
from manyheads.data.cityscapes import cityscapes
from manyheads.data.digits import fashion_mnist, mnist, sklearn_digits, svhn
from manyheads.data.drawn import drawn_scenes
from manyheads.data.errors import DataError
from manyheads.data.files import Listing, Streamed, load
from manyheads.data.frames import Annotated, Frames, hold
from manyheads.data.gtsrb import gtsrb
from manyheads.data.image_folder import image_folder, list_classes
from manyheads.data.joint import Joint, is_joint, part
from manyheads.data.loader import Loader, Place
from manyheads.data.nyuv2 import nyuv2
from manyheads.data.office31 import office31
from manyheads.data.source import InMemory, Source, Subset, split, take
from manyheads.data.taskonomy import split_buildings, taskonomy
from manyheads.data.taskonomy_planes import log_depth
from manyheads.data.tiny_imagenet import spoken_names, tiny_imagenet

__all__ = [
    "Annotated",
    "Augmentation",
    "Crop",
    "DataError",
    "Flip",
    "Frames",
    "InMemory",
    "Joint",
    "Listing",
    "Loader",
    "Place",
    "RandomCrop",
    "Source",
    "Streamed",
    "Subset",
    "cifar10",
    "cityscapes",
    "drawn_scenes",
    "fashion_mnist",
    "gtsrb",
    "hold",
    "image_folder",
    "is_joint",
    "list_classes",
    "load",
    "log_depth",
    "mnist",
    "nyuv2",
    "office31",
    "part",
    "sklearn_digits",
    "split",
    "split_buildings",
    "spoken_names",
    "svhn",
    "take",
    "taskonomy",
    "tiny_imagenet",
]
