# Writes random RWKV models and, for sequences of text and pictures, the logits that picture_reference.py finds.
#   python3 span_cases.py FOLDER     prints [{name, file, version, width, layers, vocab, parts, logits, rows}]
# A part is {tokens}, {vectors: file of float32} or the latter with scan, rows and columns. `rows` names what stands
# behind ln_out.
import json
import os
import sys
import numpy
import rwkv_shapes
from picture_reference import left_padded, run_parts, sandwich
from rwkv_reference import Weights
from weight_files import fill, write_safetensors

VOCAB = 300
# scan, rows, columns, vectors behind the grid
GRIDS = [("bidirection", 4, 4, 1), ("bidirection", 5, 7, 0), ("multidirection", 3, 5, 0), ("multidirection", 6, 6, 1),
         ("spiral", 4, 5, 1), ("snake", 5, 3, 0), ("zigzag", 4, 6, 2), ("row_major", 3, 3, 1), ("bidirection", 1, 1, 1),
         ("spiral", 1, 6, 0), ("zigzag", 5, 1, 0), ("multidirection", 1, 4, 0)]
MODELS = [(6, 128, 5, (8, 16)), (7, 128, 3, (16, 24, 8, 40)), (5, 64, 4, None)]


def main(folder):
    cases = []
    for seed, (version, width, layers, ranks) in enumerate(MODELS):
        tensors = fill(rwkv_shapes.rwkv(version, width, layers, VOCAB, ranks), seed + 50, "f32")
        path = os.path.join(folder, f"span{version}.safetensors")
        write_safetensors(path, tensors)
        weights = Weights(tensors)
        random = numpy.random.default_rng(seed)

        def vectors(count, spread=1.0):
            return (random.standard_normal((count, width)) * spread).astype(numpy.float32)

        def text(count):
            return random.integers(0, VOCAB, count).tolist()

        runs = {}
        for scan, rows, columns, more in GRIDS:
            picture = {"vectors": vectors(rows * columns + more), "scan": scan, "rows": rows, "columns": columns}
            runs[f"{scan} {rows}x{columns}+{more}"] = [{"tokens": text(3)}, picture, {"tokens": text(9)}]
        runs["sandwich, 23 patches a row"] = sandwich(text(6), vectors(530), "bidirection", 23, 23, [4], [7], [9, 9])
        two = [{"vectors": vectors(17), "scan": "bidirection", "rows": 4, "columns": 4} for _ in range(2)]
        runs["picture first, two pictures, vectors"] = [two[0], {"tokens": text(2)}, two[1], {"vectors": vectors(3)}]
        runs["official padding"] = left_padded([{"tokens": text(4)}, {"vectors": vectors(16, 3.0)}, {"tokens": text(5)}])[0]
        for name, parts in runs.items():
            cases.append(one(folder, path, weights, f"rwkv{version} {name}", parts)
                         | {"version": version, "width": width, "layers": layers, "vocab": VOCAB})
    print(json.dumps(cases))


def one(folder, path, weights, name, parts):
    stem = os.path.join(folder, "".join(letter if letter.isalnum() else "_" for letter in name))
    rows, logits, _ = run_parts(weights, parts)
    logits.astype(numpy.float32).tofile(stem + ".logits")
    rows.astype(numpy.float32).tofile(stem + ".rows")
    written = []
    for number, part in enumerate(parts):
        if "vectors" in part:
            file = f"{stem}.{number}.vectors"
            part["vectors"].tofile(file)
            part = part | {"vectors": file}
        written.append(part)
    return {"name": name, "file": path, "parts": written, "logits": stem + ".logits", "rows": stem + ".rows"}


if __name__ == "__main__":
    main(sys.argv[1])
