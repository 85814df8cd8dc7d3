"""What a head is asked: tasks, label maps, losses per example and summable metrics."""

from manyheads.tasks import maps
from manyheads.tasks.attributes import Attribute, Brightness, Colourfulness, Slant, balance
from manyheads.tasks.classify import Annotation, Regrouped, classify, regroup
from manyheads.tasks.crossing import Crossed, Crossing, cross
from manyheads.tasks.label_map import LabelMap, Relation, from_classes
from manyheads.tasks.losses import CrossEntropy
from manyheads.tasks.map_file import MapFile, read_map_file
from manyheads.tasks.metrics import Accuracy, Counter
from manyheads.tasks.suggestion import suggest
from manyheads.tasks.task import Task, named

__all__ = [
    "Accuracy",
    "Annotation",
    "Attribute",
    "Brightness",
    "Colourfulness",
    "Counter",
    "CrossEntropy",
    "Crossed",
    "Crossing",
    "LabelMap",
    "MapFile",
    "Regrouped",
    "Relation",
    "Slant",
    "Task",
    "balance",
    "classify",
    "cross",
    "from_classes",
    "maps",
    "named",
    "read_map_file",
    "regroup",
    "suggest",
]
