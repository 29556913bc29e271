# Writes tensors as PyTorch archives and as safetensors. Must not know what the tensors are for.
import collections
import io
import json
import pickle
import struct
import zipfile
import numpy
import torch

TYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
SAFE_TYPES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.int64: "I64"}


def draw(rule, random):
    """The float32 (or int64) values of one tensor of a table of rwkv_shapes.py or tower_shapes.py."""
    shape, kind, a, b = rule
    if kind == "normal":
        return torch.from_numpy(random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(b) + numpy.float32(a))
    if kind == "uniform":
        return torch.from_numpy(random.random(shape, dtype=numpy.float32) * numpy.float32(b - a) + numpy.float32(a))
    return torch.arange(int(numpy.prod(shape))).reshape(shape)


def fill(table, seed, kind="bf16"):
    """{name: tensor of `kind`} for a table; positions and the like stay int64."""
    random = numpy.random.default_rng(seed)
    drawn = {name: draw(rule, random) for name, rule in table.items()}
    return collections.OrderedDict(
        (name, value.to(TYPES[kind]) if value.is_floating_point() else value) for name, value in drawn.items()
    )


def bytes_of(tensor):
    tensor = tensor.contiguous()
    whole = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
    return whole.numpy().tobytes()


def write_torch(path, tensors):
    torch.save(collections.OrderedDict(tensors), path)


def write_safetensors(path, tensors, metadata=None):
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": SAFE_TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(bytes_of(tensor))


class Storage:
    """Stands for a storage while only the pickle is written."""

    def __init__(self, key, kind, elements):
        self.key, self.kind, self.elements = key, kind, elements


class Header:
    """Pickles as a tensor does."""

    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides, step = [], 1
        for side in reversed(self.shape):
            strides.insert(0, step)
            step *= side
        arguments = (self.storage, 0, tuple(self.shape), tuple(strides), False, collections.OrderedDict())
        return torch._utils._rebuild_tensor_v2, arguments


class HeaderPickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cpu", value.elements)
        return None


def write_torch_streamed(path, table, seed, kind="bf16", pool_elements=1 << 22):
    """
    A file of true size as torch.save writes it, in little memory and time: values are drawn once into a pool and
    repeated from places that differ from tensor to tensor. Larger than 4 GB it is a ZIP64 file.
    """
    storages = {"bf16": torch.BFloat16Storage, "f16": torch.HalfStorage, "f32": torch.FloatStorage}
    pool = torch.from_numpy(numpy.random.default_rng(seed).standard_normal(pool_elements, dtype=numpy.float32))
    headers = collections.OrderedDict()
    for key, (name, (shape, rule, _, _)) in enumerate(table.items()):
        elements = int(numpy.prod(shape))
        storage = torch.LongStorage if rule == "count" else storages[kind]
        headers[name] = Header(Storage(str(key), storage, elements), shape)
    text = io.BytesIO()
    HeaderPickler(text, protocol=2).dump(headers)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        for key, (shape, rule, a, b) in enumerate(table.values()):
            with archive.open(f"archive/data/{key}", "w", force_zip64=True) as entry:
                for piece in pieces(pool, int(numpy.prod(shape)), key, rule, a, b, kind):
                    entry.write(piece)
        archive.writestr("archive/version", "3\n")


def pieces(pool, elements, key, rule, a, b, kind):
    if rule == "count":
        yield bytes_of(torch.arange(elements))
        return
    if elements < len(pool) // 2:
        start = key * 7919 % (len(pool) - elements)
        part = pool[start : start + elements]
    else:
        part = pool
    values = part * b + a if rule == "normal" else torch.sigmoid(part * 1.7) * (b - a) + a
    whole = bytes_of(values.to(TYPES[kind]))
    left = elements * (len(whole) // len(part))
    while left > 0:
        yield whole[:left]
        left -= len(whole)
