# Writes random vision towers, pictures, and the vectors that towers.py and features.py find.
#   python3 tower_cases.py FOLDER [true]
# Prints [{name, weights: safetensors file, plan, inputs: [{side, file}], frames, views, shape: [N, K, D], wanted}].
# `plan` is a TowerPlan of src/vision/onnx/tower_plan.ts. "true": one tower set of true size instead of miniatures.
import json
import os
import sys
import numpy
import torch
import features
import releases
import tower_shapes
import towers
from towers import Part
from weight_files import fill, write_safetensors

FRAMES = 2
THREE = ("dino", "siglip", "sam")
KINDS = {"clip": "clip", "siglip2": "siglip_hf", "dino": "dino_timm", "siglip": "siglip_timm", "sam": "sam"}


def heads_of(sizes):
    return {name: size["width"] // releases.HEAD_WIDTHS[name] for name, size in sizes.items()}


def encoder(name, heads, prefix, **more):
    return {"kind": KINDS[name], "prefix": prefix, "heads": heads} | more


def plan(encoders, projector, views="whole", class_vector="none", pooling=None):
    return {"encoders": encoders, "views": views, "class_vector": class_vector, "pooling": pooling or {"kind": "all"},
            "projector": {"kind": projector, "prefix": "proj."}}


def release_case(version, scale="mini", vectors=None, grid_size=-1, dtype=torch.float64, seed=5):
    """The tower part of a released checkpoint."""
    (table,) = [table for suffix, table in releases.release(version, scale).items() if suffix != "_rwkv"]
    visual = {name: rule for name, rule in table.items() if name.startswith(("vit.", "proj."))}
    sizes = releases.MINI if scale == "mini" else releases.TRUE
    heads = heads_of(sizes)
    _, vision, kind, _ = releases.RELEASES[version]
    pooling = {"kind": "adaptive", "vectors": vectors} if vectors else None
    if vision == "clip":
        used = ["clip"]
        pooling = {"kind": "grid", "grid_size": grid_size}
        where = "first" if version == "v5" else "last"
        made = plan([encoder("clip", heads["clip"], "vit.vision_model.")], kind, class_vector=where, pooling=pooling)
    elif vision == "siglip2":
        used = ["siglip2"]
        made = plan([encoder("siglip2", heads["siglip2"], "vit.vision_model.")], kind, pooling=pooling)
    else:
        used = THREE
        encoders = [encoder(name, heads[name], f"vit.{name}_featurizer.") for name in THREE]
        views = "whole_and_quarters" if vision == "three_twice" else "whole"
        made = plan(encoders, kind, views, pooling=pooling)
    sides = {name: sizes[name]["patch"] * sizes[name]["grid"] for name in used}
    more = f" pooled to {vectors}" if vectors else f" grid size {grid_size}" if vision == "clip" else ""

    def run(tensors, rgbs):
        return features.release_vectors(version, tensors, rgbs, heads, vectors, grid_size, dtype)

    return {"name": version + more, "table": visual, "plan": made, "sides": sides, "run": run, "seed": seed}


def single(name, size, text, run=None, extra=None, level="", seed=9, **more):
    """One encoder with sizes of its own; `run(part, rgb, heads)` where it is not the plain function."""
    heads = size["width"] // releases.HEAD_WIDTHS[name]
    prefix = "enc." + level
    table = {prefix + key: rule for key, rule in getattr(tower_shapes, name)(**size, **(extra or {})).items()}
    made = plan([encoder(name, heads, prefix, **more)], "linear")
    width = 4 * size["neck"] if name == "sam" else size["width"]
    tower_shapes.linear(table, "proj", width, width, bias=False)
    function = run or getattr(towers, name)

    def whole(tensors, rgbs):
        x = function(Part(tensors, prefix), rgbs[name], heads)
        return features.project(tensors, x, "linear")

    return {"name": text, "table": table, "plan": made, "sides": {name: size["patch"] * size["grid"]}, "run": whole,
            "seed": seed}


def singles():
    mini = releases.MINI
    plain = dict(position_ids=False, level="")
    yield single("dino", mini["dino"], "DINOv2 alone")
    yield single("dino", mini["dino"] | {"layers": 2, "grid": 3}, "DINOv2 with one register", extra={"registers": 1})
    yield single("siglip", mini["siglip"], "SigLIP of timm, exact GELU", activation="erf")
    yield single("siglip", mini["siglip"], "SigLIP of timm, tanh GELU", activation="tanh",
                 run=lambda part, rgb, heads: towers.siglip(part, rgb, heads, "tanh"))
    yield single("siglip2", mini["siglip2"] | {"grid": 5, "hidden": 100}, "SigLIP2", extra={"level": ""})
    yield single("siglip2", mini["siglip2"], "SigLIP2 without last norm", extra={"level": ""}, post_norm=False,
                 run=lambda part, rgb, heads: towers.siglip2(part, rgb, heads, post_norm=False))
    yield single("clip", mini["clip"], "CLIP without level, patches only", extra=plain,
                 run=lambda part, rgb, heads: towers.clip(part, rgb, heads)[:, 1:])
    for window, grid, everywhere in ((8, 8, (1,)), (7, 10, (1,)), (4, 8, (2,)), (3, 8, ()), (5, 6, (0, 2))):
        size = mini["sam"] | {"window": window, "grid": grid, "everywhere": everywhere}
        yield single("sam", size, f"SAM, windows of {window} in {grid}, everywhere in layers {everywhere}", seed=window)


def miniatures():
    for grid_size in (-1, 0, 1, 2, 3, 4):
        yield release_case("v6.0", grid_size=grid_size)
    yield release_case("v5")
    for vectors in (None, 9, 4, 1):
        yield release_case("v7.01", vectors=vectors)
    for version in ("hd", "uhd", "v7.00"):
        yield release_case(version)
    for vectors in (9, 4):
        yield release_case("v7.00", vectors=vectors)
    yield from singles()


def write(folder, case, frames):
    tensors = fill(case["table"], case["seed"], "f32")
    views = 5 if case["plan"]["views"] == "whole_and_quarters" else 1
    random = numpy.random.default_rng(case["seed"])
    by_side = {side: random.integers(0, 256, (frames * views, side, side, 3), numpy.uint8)
               for side in sorted(set(case["sides"].values()))}
    rgbs = {name: torch.from_numpy(by_side[side]) for name, side in case["sides"].items()}
    with torch.no_grad():
        wanted = case["run"](tensors, rgbs).float().contiguous()
    stem = os.path.join(folder, "".join(letter if letter.isalnum() else "_" for letter in case["name"]))
    write_safetensors(stem + ".safetensors", tensors)
    wanted.numpy().tofile(stem + ".wanted")
    inputs = []
    for side, values in by_side.items():
        values.tofile(f"{stem}.{side}.rgb")
        inputs.append({"side": side, "file": f"{stem}.{side}.rgb"})
    return {"name": case["name"], "weights": stem + ".safetensors", "plan": case["plan"], "inputs": inputs,
            "frames": frames, "views": views, "shape": list(wanted.shape), "wanted": stem + ".wanted"}


def main(folder, scale="mini"):
    if scale == "mini":
        print(json.dumps([write(folder, case, FRAMES) for case in miniatures()]))
        return
    cases = [release_case(version, "true", dtype=torch.float32) for version in ("v6.0", "v7.01", "v7.00")]
    print(json.dumps([write(folder, case, 1) for case in cases]))


if __name__ == "__main__":
    main(*sys.argv[1:])
