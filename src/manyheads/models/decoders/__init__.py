"""Decoders: an encoder's map to the answer of one dense task, at the image's size."""

from manyheads.models.decoders.bilinear import BilinearUpsampling, PixelDecoder
from manyheads.models.decoders.dilated import DilatedDecoder
from manyheads.models.decoders.small import SmallDecoder
from manyheads.models.decoders.upsampling import UpsamplingDecoder

__all__ = ["BilinearUpsampling", "DilatedDecoder", "PixelDecoder", "SmallDecoder", "UpsamplingDecoder"]
