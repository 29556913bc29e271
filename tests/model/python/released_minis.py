# A miniature of every checkpoint of VisualRWKV with true names, a CLIP tower of its own, and a GGUF with its vocabulary.
#   python3 released_minis.py FOLDER VOCAB     prints {name: [paths]}
import json
import os
import sys
from make_checkpoint import tables_of, write
from tower_shapes import clip
from weight_files import fill, write_safetensors


def main(folder, vocab):
    written = {}
    for version in ("v5", "v6.0", "hd", "uhd", "v7.00", "v7.01", "v7.03"):
        paths = []
        for suffix, table in tables_of(version, vocab=vocab).items():
            paths.append(os.path.join(folder, f"{version}{suffix}.pth"))
            write(paths[-1], table)
        written[version] = paths
    for name, container in (("rwkv7", "pth"), ("rwkv6", "gguf")):
        written[name] = [os.path.join(folder, f"{name}.{container}")]
        write(written[name][0], tables_of(name, vocab=vocab)[""], kind="f16", container=container)
    written["tower"] = [os.path.join(folder, "tower.safetensors")]
    write_safetensors(written["tower"][0], fill(clip(128, 2, 192, 14, 6), 1, "f16"))
    print(json.dumps(written))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
