# From pictures to the vectors that a language model gets, in torch: fusing towers, pooling, UHD views, projectors.
# Uses towers.py. Must not know containers or our own code.
import torch
import torch.nn.functional as F
from towers import Part, clip, dino, sam, siglip, siglip2


def grid_of(x):
    side = int(x.shape[1] ** 0.5)
    assert side * side == x.shape[1]
    return x.transpose(1, 2).reshape(len(x), -1, side, side)


def rows_of(x):
    return x.flatten(2).transpose(1, 2)


def pool_adaptive(x, count):
    """[B, side², C] → [B, count, C], count a square: torch's adaptive average pooling."""
    return rows_of(F.adaptive_avg_pool2d(grid_of(x), int(count**0.5)))


def pool_grid(x, size):
    """v6.0's --grid_size over patches (the class token is not among them)."""
    if size == -1:
        return x
    if size == 0:
        return x[:, :0]
    if size == 1:
        return x.mean(1, keepdim=True)
    return rows_of(F.avg_pool2d(grid_of(x), int(x.shape[1] ** 0.5) // size))


def clip_tokens(x, grid_size=-1, where="last"):
    """Patches and class token of clip() in the order of v6.0 ("last") or v5.0 ("first")."""
    patches, token = pool_grid(x[:, 1:], grid_size), x[:, :1]
    return torch.cat([patches, token] if where == "last" else [token, patches], 1)


def three(tensors, rgbs, heads, dtype=torch.float64, prefix="vit.", activation="erf"):
    """rgbs and heads by tower name → [B, grid², DINO + SigLIP + 4 * neck]."""
    found = [
        dino(Part(tensors, prefix + "dino_featurizer.", dtype), rgbs["dino"], heads["dino"]),
        siglip(Part(tensors, prefix + "siglip_featurizer.", dtype), rgbs["siglip"], heads["siglip"], activation),
        sam(Part(tensors, prefix + "sam_featurizer.", dtype), rgbs["sam"], heads["sam"]),
    ]
    return torch.cat(found, -1)


def with_quarters(x):
    """
    Features of [whole, top left, top right, bottom left, bottom right], [B * 5, grid², C] → [B, grid², 2 C]: the
    quarters' grids are halved and put together; each tower's part keeps its place within whole and quarters.
    """
    views = grid_of(x).unflatten(0, (-1, 5))
    small = F.avg_pool2d(views[:, 1:].flatten(0, 1), 2).unflatten(0, (-1, 4))
    top = torch.cat([small[:, 0], small[:, 1]], -1)
    bottom = torch.cat([small[:, 2], small[:, 3]], -1)
    return rows_of(torch.cat([views[:, 0], torch.cat([top, bottom], -2)], 1))


def project(tensors, x, kind, dtype=torch.float64, prefix="proj."):
    part = Part(tensors, prefix, dtype)
    if kind == "linear":
        bias = part["bias"] if part.has("bias") else None
        return F.linear(x, part["weight"], bias)
    if kind == "gate_after":
        p = part.linear("proj", x)
        return part.linear("o_proj", p * torch.sigmoid(part.linear("gate", p)))
    if kind == "relu":
        return part.linear("o_proj", torch.relu(part.linear("proj", x)))
    assert kind == "gate_before", kind
    return part.norm("ln_v", part.linear("o_proj", x * torch.sigmoid(part.linear("gate", x))), 1e-5)


def release_vectors(version, tensors, rgbs, heads, vectors=None, grid_size=-1, dtype=torch.float64, level="vision_model."):
    """What the language model of a released version gets for a batch: [B, K, D]. The compressor is not part of it."""
    if version in ("v5", "v6.0"):
        x = clip(Part(tensors, "vit." + level, dtype), rgbs["clip"], heads["clip"])
        return project(tensors, clip_tokens(x, grid_size, "first" if version == "v5" else "last"), "linear", dtype)
    if version in ("v7.01", "v7.02", "v7.03", "v7.04"):
        x = siglip2(Part(tensors, "vit." + level, dtype), rgbs["siglip2"], heads["siglip2"])
        return project(tensors, pool_adaptive(x, vectors) if vectors else x, "gate_before", dtype)
    x = three(tensors, rgbs, heads, dtype)
    if version == "uhd":
        return project(tensors, with_quarters(x), "relu", dtype)
    x = pool_adaptive(x, vectors) if vectors else x
    return project(tensors, x, "gate_after" if version == "hd" else "gate_before", dtype)
