# Writes random visual token compressors (v7.03), rows to go in, and what picture_reference.py makes of them.
#   python3 compressor_cases.py FOLDER     prints [{name, weights, width, rows, vectors, wanted}]
import json
import os
import sys
import numpy
import releases
from picture_reference import compress
from weight_files import fill, write_safetensors

# width, blocks, rows in, rows out
CASES = [(128, 2, 64, 16), (128, 1, 16, 16), (64, 3, 21, 5), (64, 2, 7, 3), (128, 4, 100, 33), (64, 2, 9, 12), (64, 3, 17, 1)]


def main(folder):
    cases = []
    for seed, (width, layers, rows, count) in enumerate(CASES):
        tensors = fill(releases.compressor(width, layers), seed + 90, "f32")
        vectors = numpy.random.default_rng(seed).standard_normal((rows, width)).astype(numpy.float32)
        stem = os.path.join(folder, f"compressor{seed}")
        # As the importer writes them: blocks without the name of the part in front.
        write_safetensors(stem + ".safetensors", {name.removeprefix("vtc."): value for name, value in tensors.items()})
        vectors.tofile(stem + ".vectors")
        compress(tensors, vectors, count).astype(numpy.float32).tofile(stem + ".wanted")
        cases.append({"name": f"{layers} blocks of {width}, {rows} rows to {count}", "weights": stem + ".safetensors",
                      "width": width, "rows": count, "vectors": stem + ".vectors", "wanted": stem + ".wanted"})
    print(json.dumps(cases))


if __name__ == "__main__":
    main(sys.argv[1])
