"""What a head is asked: tasks, label maps, losses per example and summable metrics."""

from manyheads.tasks import maps
from manyheads.tasks.angular_metrics import AngularError
from manyheads.tasks.attributes import Attribute, Brightness, Colourfulness, Slant, balance
from manyheads.tasks.classify import Annotation, Regrouped, classify, regroup
from manyheads.tasks.computed import COMPUTED, CleanImage, Computed, makers
from manyheads.tasks.crossing import Crossed, Crossing, cross
from manyheads.tasks.dense import (
    PAPER_LETTERS,
    autoencode,
    curvature,
    depth,
    euclidean_depth,
    keypoints2d,
    keypoints3d,
    normals,
    occlusion_edges,
    paper_task,
    reshade,
    segment,
    texture_edges,
)
from manyheads.tasks.depth_metrics import DepthError
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.geometry import depth_of, euclidean_depth_of, normals_of, points_of, reshading_of
from manyheads.tasks.label_map import LabelMap, Relation, from_classes
from manyheads.tasks.losses import (
    UNKNOWN_CLASS,
    CrossEntropy,
    MaskedCosine,
    MaskedCrossEntropy,
    MaskedL1,
    MaskedL2,
    known,
)
from manyheads.tasks.map_file import MapFile, read_map_file
from manyheads.tasks.metrics import Accuracy, Counter, relative_improvement
from manyheads.tasks.segmentation_metrics import Segmentation
from manyheads.tasks.suggestion import suggest
from manyheads.tasks.surface import keypoints3d_of, occlusion_edges_of, principal_curvature_of
from manyheads.tasks.task import Task, named
from manyheads.tasks.texture import keypoints2d_of, texture_edges_of

__all__ = [
    "COMPUTED",
    "PAPER_LETTERS",
    "UNKNOWN_CLASS",
    "AbsoluteError",
    "Accuracy",
    "AngularError",
    "Annotation",
    "Attribute",
    "Brightness",
    "CleanImage",
    "Colourfulness",
    "Computed",
    "Counter",
    "CrossEntropy",
    "Crossed",
    "Crossing",
    "DepthError",
    "LabelMap",
    "MapFile",
    "MaskedCosine",
    "MaskedCrossEntropy",
    "MaskedL1",
    "MaskedL2",
    "Regrouped",
    "Relation",
    "Segmentation",
    "Slant",
    "Task",
    "autoencode",
    "balance",
    "classify",
    "cross",
    "curvature",
    "depth",
    "depth_of",
    "euclidean_depth",
    "euclidean_depth_of",
    "from_classes",
    "keypoints2d",
    "keypoints2d_of",
    "keypoints3d",
    "keypoints3d_of",
    "known",
    "makers",
    "maps",
    "named",
    "normals",
    "normals_of",
    "occlusion_edges",
    "occlusion_edges_of",
    "paper_task",
    "points_of",
    "principal_curvature_of",
    "read_map_file",
    "regroup",
    "relative_improvement",
    "reshade",
    "reshading_of",
    "segment",
    "suggest",
    "texture_edges",
    "texture_edges_of",
]
