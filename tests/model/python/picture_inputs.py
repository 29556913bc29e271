# A picture of any size → what the towers of each released version see, with Pillow: resizing, cutting, tiling. Must not
# know towers or our own code.
import math
import numpy
import torch
from PIL import Image

BICUBIC, BILINEAR, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS


def batch(pictures):
    """Pillow pictures of one size → uint8 [B, H, W, 3]."""
    return torch.from_numpy(numpy.stack([numpy.asarray(picture) for picture in pictures]))


def shorter_side(picture, side):
    """The shorter side becomes `side`, the longer is cut down to a whole number; then the middle is cut out."""
    width, height = picture.size
    if width <= height:
        size = (side, int(side * height / width))
    else:
        size = (int(side * width / height), side)
    resized = picture.resize(size, BICUBIC)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return resized.crop((left, top, left + side, top + side))


def stretched(picture, side, resample=BICUBIC):
    return picture.resize((side, side), resample)


def with_quarters(picture):
    """The picture, then top left, top right, bottom left, bottom right; sides are even."""
    w, h = picture.size[0] // 2, picture.size[1] // 2
    return [picture, *(picture.crop((x, y, x + w, y + h)) for y in (0, h) for x in (0, w))]


def waste(width, height, columns, rows, side, criterion):
    """What a grid of columns x rows tiles costs a picture of width x height."""
    wide, high = columns * side, rows * side
    scale = min(wide / width, high / height)
    lost = wide * high - int(width * scale) * int(height * scale)
    return lost + (abs(wide * high - width * height) if criterion == "closest" else 0)


def tiles(picture, side, criterion):
    """v7.02 ("waste") and v7.03 ("closest"): the grid that wastes least, stretched, cut row by row."""
    width, height = picture.size
    most = (math.ceil(width / side), math.ceil(height / side))
    grids = [(c, r) for c in range(max(1, most[0] - 1), most[0] + 1) for r in range(max(1, most[1] - 1), most[1] + 1)]
    columns, rows = min(grids, key=lambda grid: waste(width, height, *grid, side, criterion))
    whole = picture.resize((columns * side, rows * side), LANCZOS)
    boxes = [(c * side, r * side, (c + 1) * side, (r + 1) * side) for r in range(rows) for c in range(columns)]
    return [whole.crop(box) for box in boxes]


def random_picture(width, height, seed):
    """Smooth colours with some noise, so that resizing has something to do."""
    random = numpy.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), numpy.uint8)).resize((width, height), BICUBIC)
    noise = random.integers(-40, 41, (height, width, 3))
    return Image.fromarray(numpy.clip(numpy.asarray(coarse) + noise, 0, 255).astype(numpy.uint8))
