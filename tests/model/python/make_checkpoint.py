# Writes synthetic checkpoints with the tensor names and shapes of the released ones and random weights.
#   python3 make_checkpoint.py v6.0 out.pth                        miniature of VisualRWKV 6.0, bf16
#   python3 make_checkpoint.py v5 out                              out_rwkv.pth and out_visual.pth
#   python3 make_checkpoint.py v7.00 out.pth --scale true --size 0b1
#   python3 make_checkpoint.py rwkv7 out.gguf --container gguf --type q8_0 --width 128 --layers 3
# Versions: v5 v6.0 hd uhd v7.00 v7.01 v7.02 v7.03 v7.04 and the plain language models rwkv5 rwkv6 rwkv7.
# Prints what it wrote as JSON. The same seed and sizes give the same weights in every container.
import argparse
import json
import os
import releases
import rwkv_shapes
from gguf_file import write_gguf
from other_names import to_fla, to_gguf
from weight_files import fill, write_safetensors, write_torch, write_torch_streamed

# Above this many elements a file is written in pieces from a small pool of values.
STREAMED_ELEMENTS = 100_000_000


def tables_of(version, scale="mini", size=None, vocab=None, width=None, layers=None, vtc_layers=2):
    """{file suffix: table}"""
    if not version.startswith("rwkv"):
        return releases.release(version, scale, size, vocab, vtc_layers)
    generation = int(version[4:])
    ranks = (8, 16) if generation == 6 and (width or 128) < 1024 else None
    table = rwkv_shapes.rwkv(generation, width or 128, layers or 2, vocab or 512, ranks)
    return {"": table}


def write(path, table, seed=1, kind="bf16", container="pth", rescale=0):
    """Returns the tensors as the file's reader sees them, or None for a streamed file."""
    elements = releases.count({"": table})
    if elements > STREAMED_ELEMENTS:
        if container != "pth":
            raise SystemExit(f"{elements} elements are written as .pth only")
        write_torch_streamed(path, table, seed, kind)
        return None
    tensors = fill(table, seed, "f32" if container == "gguf" else kind)
    if container == "pth":
        write_torch(path, tensors)
    elif container == "safetensors":
        write_safetensors(path, tensors)
    elif container == "fla":
        write_safetensors(path, to_fla(tensors), {"format": "pt"})
    else:
        return write_gguf(path, to_gguf(tensors, rescale), kind, rescale)
    return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("out")
    parser.add_argument("--scale", choices=("mini", "true"), default="mini")
    parser.add_argument("--size", help="which released language model: 0b1, 0b4, 1b5, 1b6, 3b, 7b")
    parser.add_argument("--type", choices=("bf16", "f16", "f32", "q8_0"), default="bf16")
    parser.add_argument("--container", choices=("pth", "safetensors", "fla", "gguf"), default="pth")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("vocab", "width", "layers"):
        parser.add_argument("--" + name, type=int)
    parser.add_argument("--vtc-layers", type=int, default=2)
    parser.add_argument("--rescale", type=int, default=0, help="rescale_every_n_layers of a GGUF of RWKV-6")
    options = parser.parse_args()
    tables = tables_of(options.version, options.scale, options.size, options.vocab, options.width, options.layers,
                       options.vtc_layers)
    files = []
    for suffix, table in tables.items():
        path = options.out + (suffix + ".pth" if suffix else "")
        write(path, table, options.seed, options.type, options.container, options.rescale)
        files.append({"path": path, "bytes": os.path.getsize(path), "tensors": len(table)})
    print(json.dumps(files))


if __name__ == "__main__":
    main()
