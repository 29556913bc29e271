# Writes random RWKV models of many shapes and containers, and the logits that rwkv_reference.py finds for them.
#   python3 rwkv_cases.py FOLDER     prints [{name, file, container, version, width, layers, vocab, tokens, logits}]
# `logits` names a file of float32, a row of the vocabulary per token. The reference reads every number as the file
# has it, after rounding.
import json
import os
import sys
import numpy
import rwkv_shapes
from gguf_file import write_gguf
from other_names import to_fla, to_gguf
from rwkv_reference import Weights, logits
from weight_files import fill, write_safetensors, write_torch

# version, width, layers, vocab, ranks, type, containers
SHAPES = [
    (7, 64, 1, 40, (8, 8, 8, 8), "f32", ("safetensors",)),
    (7, 128, 3, 300, (16, 24, 8, 40), "f32", ("safetensors", "pth", "fla", "gguf")),
    (7, 256, 2, 1000, (64, 32, 16, 96), "bf16", ("safetensors", "pth", "fla", "gguf")),
    (7, 192, 2, 300, (1, 3, 5, 7), "f16", ("safetensors", "pth", "gguf")),
    (7, 128, 2, 320, (32, 32, 32, 32), "q8_0", ("gguf",)),
    (6, 64, 1, 40, (4, 6), "f32", ("safetensors",)),
    (6, 128, 4, 300, (8, 16), "f32", ("safetensors", "pth", "gguf")),
    (6, 256, 2, 1000, (32, 64), "bf16", ("safetensors", "pth", "gguf")),
    (6, 192, 5, 300, (5, 3), "f16", ("safetensors", "pth", "gguf")),
    (6, 128, 2, 320, (32, 32), "q8_0", ("gguf",)),
    (5, 64, 1, 40, None, "f32", ("safetensors",)),
    (5, 128, 3, 300, None, "f32", ("safetensors", "pth")),
    (5, 256, 2, 1000, None, "bf16", ("safetensors", "pth")),
    (5, 192, 2, 300, None, "f16", ("safetensors", "pth")),
]
TOKENS = 40
# What some converters of RWKV-6 to GGUF do: layers from the second pair on are stored halved, and so on.
RESCALE = 2
SUFFIXES = {"safetensors": ".safetensors", "pth": ".pth", "fla": ".fla.safetensors", "gguf": ".gguf"}


def as_read(tensors, read, rescale):
    """Official tensors with the rounding of their GGUF file. Vectors and LoRA matrices are not rounded there."""
    out = {name: tensor.float() for name, tensor in tensors.items()}
    for part, kind in (("att", "time"), ("ffn", "channel")):
        for name in out:
            pieces = name.split(".")
            if len(pieces) == 5 and pieces[2] == part and pieces[4] == "weight" and out[name].dim() == 2:
                value = read[f"blk.{pieces[1]}.{kind}_mix_{pieces[3]}.weight"]
                halved = rescale and (part, pieces[3]) in (("att", "output"), ("ffn", "value"))
                out[name] = value * 2 ** (int(pieces[1]) // rescale) if halved else value
    out["emb.weight"], out["head.weight"] = read["token_embd.weight"], read["output.weight"]
    return out


def write(path, tensors, container, kind, rescale):
    """Returns the official tensors as a reader of the file sees them."""
    if container == "pth":
        write_torch(path, tensors)
    elif container == "gguf":
        return as_read(tensors, write_gguf(path, to_gguf(tensors, rescale), kind, rescale), rescale)
    elif container == "fla":
        write_safetensors(path, to_fla(tensors), {"format": "pt"})
    else:
        write_safetensors(path, tensors)
    return tensors


def main(folder):
    cases = []
    for seed, (version, width, layers, vocab, ranks, kind, containers) in enumerate(SHAPES):
        table = rwkv_shapes.rwkv(version, width, layers, vocab, ranks)
        tensors = fill(table, seed, "f32" if kind == "q8_0" else kind)
        tokens = numpy.random.default_rng(seed).integers(0, vocab, TOKENS).tolist()
        known = {}
        for container in containers:
            name = f"rwkv{version}-{width}x{layers}-{kind}-{container}"
            path = os.path.join(folder, name + SUFFIXES[container])
            rescale = RESCALE if version == 6 and container == "gguf" else 0
            read = write(path, tensors, container, kind, rescale)
            key = container == "gguf"
            if key not in known:
                rows, _ = logits(Weights(read), tokens)
                known[key] = rows.astype(numpy.float32)
            found = os.path.join(folder, name + ".logits")
            known[key].tofile(found)
            cases.append({"name": name, "file": path, "container": container, "version": version, "width": width,
                          "layers": layers, "vocab": vocab, "tokens": tokens, "logits": found})
    print(json.dumps(cases))


if __name__ == "__main__":
    main(sys.argv[1])
