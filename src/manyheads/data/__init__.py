"""Data: readers of the official layouts, and loaders of dict batches."""

from manyheads.data.augment import Augmentation, Crop, Flip
from manyheads.data.cifar10 import cifar10
from manyheads.data.digits import fashion_mnist, mnist, sklearn_digits, svhn
from manyheads.data.errors import DataError
from manyheads.data.files import Listing, Streamed, load
from manyheads.data.gtsrb import gtsrb
from manyheads.data.image_folder import image_folder, list_classes
from manyheads.data.loader import Loader, Place
from manyheads.data.office31 import office31
from manyheads.data.source import InMemory, Source, Subset, split, take
from manyheads.data.tiny_imagenet import spoken_names, tiny_imagenet

__all__ = [
    "Augmentation",
    "Crop",
    "DataError",
    "Flip",
    "InMemory",
    "Listing",
    "Loader",
    "Place",
    "Source",
    "Streamed",
    "Subset",
    "cifar10",
    "fashion_mnist",
    "gtsrb",
    "image_folder",
    "list_classes",
    "load",
    "mnist",
    "office31",
    "sklearn_digits",
    "split",
    "spoken_names",
    "svhn",
    "take",
    "tiny_imagenet",
]
