# Which tensors each released VisualRWKV checkpoint holds, in true or miniature size, and what a reader has to know
# that no shape says (head counts). Must not know containers.
import math
import rwkv_shapes
import tower_shapes as towers

# Sizes of the real towers. Heads are in no tensor: they are the numbers of the public model definitions.
TRUE = {
    "clip": dict(width=1024, layers=24, hidden=4096, patch=14, grid=24),
    "siglip2": dict(width=768, layers=12, hidden=3072, patch=16, grid=16),
    "dino": dict(width=1024, layers=24, hidden=4096, patch=14, grid=32),
    "siglip": dict(width=1152, layers=27, hidden=4304, patch=14, grid=32),
    "sam": dict(width=768, layers=12, hidden=3072, patch=16, grid=64, window=14, everywhere=(2, 5, 8, 11), neck=256),
}
# The same with the head widths of the real ones (64; SigLIP so400m 72), so that head counts follow from widths.
MINI = {
    "clip": dict(width=128, layers=2, hidden=192, patch=14, grid=6),
    "siglip2": dict(width=128, layers=2, hidden=192, patch=16, grid=4),
    "dino": dict(width=128, layers=3, hidden=192, patch=14, grid=4),
    "siglip": dict(width=144, layers=3, hidden=176, patch=14, grid=4),
    "sam": dict(width=128, layers=3, hidden=192, patch=16, grid=8, window=5, everywhere=(2,), neck=32),
}
HEAD_WIDTHS = {"clip": 64, "siglip2": 64, "dino": 64, "siglip": 72, "sam": 64}

# version: RWKV generation, vision, projector, language model sizes by name {name: (width, layers)}
RELEASES = {
    "v5": (5, "clip", "linear", {"1b5": (2048, 24), "3b": (2560, 32)}),
    "v6.0": (6, "clip", "linear", {"1b6": (2048, 24), "3b": (2560, 32), "7b": (4096, 32)}),
    "hd": (6, "three", "gate_after", {"1b6": (2048, 24)}),
    "uhd": (6, "three_twice", "relu", {"1b6": (2048, 24)}),
    "v7.00": (7, "three", "gate_before", {"0b1": (768, 12), "0b4": (1024, 24), "1b5": (2048, 24)}),
    "v7.01": (7, "siglip2", "gate_before", {"0b1": (768, 12), "0b4": (1024, 24), "1b5": (2048, 24)}),
    "v7.03": (7, "siglip2", "gate_before", {"0b1": (768, 12), "0b4": (1024, 24), "1b5": (2048, 24)}),
}
# Same tensors, other behaviour.
ALIASES = {"v6.12": "hd", "v6.13": "uhd", "v7.02": "v7.01", "v7.04": "v7.03"}
MINI_LANGUAGE = (128, 2)


def language_size(version, scale, size=None):
    """(generation, width, layers)"""
    generation, _, _, sizes = RELEASES[ALIASES.get(version, version)]
    width, layers = MINI_LANGUAGE if scale == "mini" else sizes[size or next(iter(sizes))]
    return generation, width, layers


def release(version, scale="mini", size=None, vocab=None, vtc_layers=2):
    """{file suffix: {name: (shape, distribution, a, b)}}: one file "", or "_rwkv" and "_visual" for v5."""
    version = ALIASES.get(version, version)
    generation, width, layers = language_size(version, scale, size)
    vocab = vocab or (65_536 if scale == "true" else 512)
    _, vision, kind, _ = RELEASES[version]
    sizes = MINI if scale == "mini" else TRUE
    visual = {}
    if vision in ("clip", "siglip2"):
        table = getattr(towers, vision)(**sizes[vision])
        visual |= {"vit." + name: value for name, value in table.items()}
        inside = sizes[vision]["width"]
    else:
        for name in ("dino", "siglip", "sam"):
            table = getattr(towers, name)(**sizes[name])
            visual |= {f"vit.{name}_featurizer.{inner}": value for inner, value in table.items()}
        inside = sizes["dino"]["width"] + sizes["siglip"]["width"] + 4 * sizes["sam"]["neck"]
        if vision == "three_twice":
            inside *= 2
    projector = towers.projector(kind, inside, width)
    visual |= {"proj." + name: value for name, value in projector.items()}
    if version == "v7.03":
        visual |= compressor(width, vtc_layers)
    ranks = (8, 16) if scale == "mini" and generation == 6 else None
    if version == "v5":
        return {"_rwkv": rwkv_shapes.rwkv(5, width, layers, vocab), "_visual": visual}
    return {"": rwkv_shapes.rwkv(generation, width, layers, vocab, ranks, prefix="rwkv.") | visual}


def compressor(width, layers):
    """The blocks of the visual token compressor: RWKV-7 blocks without embedding and head."""
    table = {}
    rwkv_shapes.norm(table, "vtc.blocks.0.ln0", width)
    for layer in range(layers):
        table |= {"vtc." + name: value for name, value in rwkv_shapes.block(7, layer, width).items()}
    rwkv_shapes.norm(table, "vtc.ln_out", width)
    return table


def count(tables):
    """Floating-point parameters of all files together."""
    return sum(math.prod(shape) for table in tables.values() for shape, kind, _, _ in table.values() if kind != "count")
