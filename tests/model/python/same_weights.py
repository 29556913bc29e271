# The same random weights in every container and spelling, for import_logits_test.ts.
#   python3 same_weights.py FOLDER VOCAB     prints the names of the files
import json
import os
import sys
from make_checkpoint import tables_of, write

FILES = [
    *[("rwkv7", container, kind) for kind in ("f32", "bf16") for container in ("pth", "safetensors", "fla")],
    ("rwkv7", "gguf", "f32"),
    ("rwkv7", "gguf", "q8_0"),
    ("rwkv6", "pth", "f32"),
    ("rwkv6", "safetensors", "f32"),
    ("rwkv6", "gguf", "f32"),
    ("rwkv5", "pth", "f32"),
    ("rwkv5", "safetensors", "f32"),
]
# Layers of RWKV-6: a GGUF that halves every second of them has something to undo.
RESCALE = 2


def main(folder, vocab):
    names = []
    for version, container, kind in FILES:
        table = tables_of(version, vocab=vocab, layers=4)[""]
        name = f"{version}-{kind}.{container}"
        write(os.path.join(folder, name), table, 1, kind, container, RESCALE if version == "rwkv6" else 0)
        names.append(name)
    print(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
