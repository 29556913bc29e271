# The tensors of the vision towers and projectors under the names of released VisualRWKV files, dead ones included:
# names, shapes and distributions in the form of rwkv_shapes.py. Must not know containers.
from rwkv_shapes import around, norm, plain


def linear(table, name, out, inside, bias=True, scale=None):
    table[name + ".weight"] = plain(out, inside, scale=scale)
    if bias:
        table[name + ".bias"] = around(0, 0.05, out)


def patches(table, name, width, patch, bias):
    table[name + ".weight"] = plain(width, 3, patch, patch, scale=1 / (patch * 3**0.5))
    if bias:
        table[name + ".bias"] = around(0, 0.05, width)


def encoder_layer(table, at, width, hidden):
    """A block of transformers' CLIP and SigLIP."""
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        linear(table, f"{at}self_attn.{part}", width, width)
    norm(table, at + "layer_norm1", width)
    norm(table, at + "layer_norm2", width)
    linear(table, at + "mlp.fc1", hidden, width)
    linear(table, at + "mlp.fc2", width, hidden)


def clip(width, layers, hidden, patch, grid, level="vision_model.", position_ids=True):
    """`level`: newest transformers drop "vision_model."."""
    table = {}
    positions = grid * grid + 1
    table["embeddings.class_embedding"] = around(0, 0.5, width)
    if position_ids:
        table["embeddings.position_ids"] = ((1, positions), "count", 0, 0)
    patches(table, "embeddings.patch_embedding", width, patch, False)
    table["embeddings.position_embedding.weight"] = around(0, 0.3, positions, width)
    norm(table, "pre_layrnorm", width)
    for layer in range(layers):
        encoder_layer(table, f"encoder.layers.{layer}.", width, hidden)
    norm(table, "post_layernorm", width)
    return {level + name: value for name, value in table.items()}


def siglip2(width, layers, hidden, patch, grid, level="vision_model."):
    table = {}
    patches(table, "embeddings.patch_embedding", width, patch, True)
    table["embeddings.position_embedding.weight"] = around(0, 0.3, grid * grid, width)
    for layer in range(layers):
        encoder_layer(table, f"encoder.layers.{layer}.", width, hidden)
    norm(table, "post_layernorm", width)
    table["head.probe"] = around(0, 1, 1, 1, width)
    table["head.attention.in_proj_weight"] = plain(3 * width, width)
    table["head.attention.in_proj_bias"] = around(0, 0.05, 3 * width)
    linear(table, "head.attention.out_proj", width, width)
    norm(table, "head.layernorm", width)
    linear(table, "head.mlp.fc1", hidden, width)
    linear(table, "head.mlp.fc2", width, hidden)
    return {level + name: value for name, value in table.items()}


def timm_block(table, at, width, hidden, scales, first="fc1", second="fc2"):
    norm(table, at + "norm1", width)
    linear(table, at + "attn.qkv", 3 * width, width)
    linear(table, at + "attn.proj", width, width)
    if scales:
        table[at + "ls1.gamma"] = around(0.5, 0.2, width)
    norm(table, at + "norm2", width)
    linear(table, f"{at}mlp.{first}", hidden, width)
    linear(table, f"{at}mlp.{second}", width, hidden)
    if scales:
        table[at + "ls2.gamma"] = around(0.5, 0.2, width)


def dino(width, layers, hidden, patch, grid, registers=4):
    table = {"cls_token": around(0, 0.5, 1, 1, width)}
    if registers:
        table["reg_token"] = around(0, 0.5, 1, registers, width)
    table["pos_embed"] = around(0, 0.3, 1, grid * grid, width)
    patches(table, "patch_embed.proj", width, patch, True)
    for layer in range(layers):
        timm_block(table, f"blocks.{layer}.", width, hidden, True)
    norm(table, "norm", width)
    return table


def siglip(width, layers, hidden, patch, grid):
    table = {"pos_embed": around(0, 0.3, 1, grid * grid, width)}
    patches(table, "patch_embed.proj", width, patch, True)
    for layer in range(layers):
        timm_block(table, f"blocks.{layer}.", width, hidden, False)
    norm(table, "norm", width)
    table["attn_pool.latent"] = around(0, 1, 1, 1, width)
    linear(table, "attn_pool.q", width, width)
    linear(table, "attn_pool.kv", 2 * width, width)
    linear(table, "attn_pool.proj", width, width)
    norm(table, "attn_pool.norm", width)
    linear(table, "attn_pool.mlp.fc1", hidden, width)
    linear(table, "attn_pool.mlp.fc2", width, hidden)
    return table


def sam(width, layers, hidden, patch, grid, window, everywhere, neck, head_width=64):
    """`everywhere`: the layers that see the whole grid instead of windows."""
    table = {"pos_embed": around(0, 0.3, 1, grid, grid, width)}
    patches(table, "patch_embed.proj", width, patch, True)
    for layer in range(layers):
        at = f"blocks.{layer}."
        timm_block(table, at, width, hidden, False, "lin1", "lin2")
        reach = 2 * (grid if layer in everywhere else window) - 1
        table[at + "attn.rel_pos_h"] = around(0, 0.1, reach, head_width)
        table[at + "attn.rel_pos_w"] = around(0, 0.1, reach, head_width)
    table["neck.0.weight"] = plain(neck, width, 1, 1, scale=1 / width**0.5)
    norm(table, "neck.1", neck)
    table["neck.2.weight"] = plain(neck, neck, 3, 3, scale=1 / (3 * neck**0.5))
    norm(table, "neck.3", neck)
    return table


def projector(kind, inside, width):
    table = {}
    if kind == "linear":
        table["weight"] = plain(width, inside)
    elif kind in ("gate_after", "relu"):
        linear(table, "proj", width, inside, False)
        linear(table, "gate", width, width, False)
        linear(table, "o_proj", width, width, False)
    elif kind == "gate_before":
        linear(table, "gate", inside, inside, False)
        linear(table, "o_proj", width, inside, False)
        norm(table, "ln_v", width)
    else:
        raise ValueError(f"unknown projector {kind}")
    return table
