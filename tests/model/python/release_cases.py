# Miniature checkpoints of every released version, a picture each, and what a model of them makes of it, from pixels to
# logits, in float64.
#   python3 release_cases.py FOLDER
# Prints [{name, version, files, options, picture, width_px, height_px, vectors, count, width, scan, rows, columns,
# before, after, logits}]; `options` are what `gander model import` has to be told, because no tensor says it.
import json
import os
import sys
import numpy
import torch
import features
import picture_inputs as inputs
import releases
from picture_reference import compress, run_parts
from rwkv_reference import Weights
from weight_files import fill, write_torch

VOCAB = 300
HEADS = {name: size["width"] // releases.HEAD_WIDTHS[name] for name, size in releases.MINI.items()}
SIDES = {name: size["patch"] * size["grid"] for name, size in releases.MINI.items()}
# name, version, import options, picture, expected scan and its grid
CASES = [
    ("v5, two files", "v5", [], (150, 100), "row_major", 0),
    ("v6.0", "v6.0", [], (150, 100), "bidirection", 6),
    ("v6.0, upright", "v6.0", [], (90, 171), "bidirection", 6),
    ("HD", "hd", [], (150, 100), "bidirection", 4),
    ("UHD", "uhd", [], (150, 100), "bidirection", 4),
    ("v7.00", "v7.00", [], (150, 100), "row_major", 0),
    ("v7.00, 4 vectors", "v7.00", ["--tokens-per-image", "4"], (64, 200), "row_major", 0),
    ("v7.01", "v7.01", ["--version", "v7.01"], (150, 100), "row_major", 0),
    ("v7.02", "v7.02", ["--version", "v7.02", "--tiles", "9"], (150, 100), "row_major", 0),
    ("v7.03", "v7.03", ["--version", "v7.03", "--tiles", "9", "--tokens-per-image", "10"], (150, 100), "row_major", 0),
]


def vectors_of(version, tensors, picture, pooled):
    """[rows, D] of one picture, compressed where the version does that."""
    if version in ("v5", "v6.0"):
        rgbs = {"clip": inputs.batch([inputs.shorter_side(picture, SIDES["clip"])])}
    elif version == "v7.01":
        rgbs = {"siglip2": inputs.batch([inputs.stretched(picture, SIDES["siglip2"], inputs.BILINEAR)])}
    elif version in ("v7.02", "v7.03"):
        criterion = "waste" if version == "v7.02" else "closest"
        rgbs = {"siglip2": inputs.batch(inputs.tiles(picture, SIDES["siglip2"], criterion))}
    else:
        views = inputs.with_quarters(picture) if version == "uhd" else [picture]
        rgbs = {name: inputs.batch([inputs.stretched(view, SIDES[name]) for view in views])
                for name in ("dino", "siglip", "sam")}
    with torch.no_grad():
        found = features.release_vectors(version, tensors, rgbs, HEADS, None if version == "v7.03" else pooled)
    rows = found.flatten(0, 1).numpy()
    return compress(tensors, rows, pooled) if version == "v7.03" else rows


def main(folder):
    cases, checkpoints = [], {}
    for seed, (name, version, options, size, scan, grid) in enumerate(CASES):
        if version not in checkpoints:
            files = {}
            for suffix, table in releases.release(version, vocab=VOCAB).items():
                files[os.path.join(folder, f"{version}{suffix}.pth")] = fill(table, 70 + seed, "bf16")
            for path, tensors in files.items():
                write_torch(path, tensors)
            whole = {key: value for tensors in files.values() for key, value in tensors.items()}
            checkpoints[version] = list(files), whole, Weights(whole, "" if version == "v5" else "rwkv.")
        files, tensors, weights = checkpoints[version]
        pooled = int(options[options.index("--tokens-per-image") + 1]) if "--tokens-per-image" in options else None
        picture = inputs.random_picture(*size, seed)
        vectors = vectors_of(version, tensors, picture, pooled)
        before, after = numpy.random.default_rng(seed).integers(1, VOCAB, (2, 7)).tolist()
        span = {"vectors": vectors}
        if grid:
            span |= {"scan": scan, "rows": grid, "columns": grid}
        _, logits, _ = run_parts(weights, [{"tokens": before}, span, {"tokens": after}])
        stem = os.path.join(folder, f"case{seed}")
        picture_bytes = numpy.asarray(picture)
        picture_bytes.tofile(stem + ".rgb")
        vectors.astype(numpy.float32).tofile(stem + ".vectors")
        logits.astype(numpy.float32).tofile(stem + ".logits")
        cases.append({"name": name, "version": version, "files": files, "options": options, "picture": stem + ".rgb",
                      "width_px": size[0], "height_px": size[1], "vectors": stem + ".vectors", "count": len(vectors),
                      "width": vectors.shape[1], "scan": scan, "rows": grid, "columns": grid, "before": before,
                      "after": after, "logits": stem + ".logits"})
    print(json.dumps(cases))


if __name__ == "__main__":
    main(sys.argv[1])
