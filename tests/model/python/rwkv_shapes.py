# The tensors of RWKV-5.2, 6 and 7 as official .pth files have them: names, shapes, and random values that keep a
# model alive (nothing overflows, every part changes the logits). Must not know containers or pictures.
import math


def plain(*shape, scale=None):
    """A matrix: normal values that keep the size of what goes through. The last axis is the input, as in Linear."""
    return shape, "normal", 0.0, scale if scale is not None else 1 / math.sqrt(shape[-1])


def around(centre, spread, *shape):
    return shape, "normal", centre, spread


def between(low, high, *shape):
    return shape, "uniform", low, high


def norm(table, name, width):
    table[name + ".weight"] = around(1.0, 0.1, width)
    table[name + ".bias"] = around(0.0, 0.1, width)


def ranks_of(width):
    """LoRA ranks (w, a, v, g) of the released sizes of RWKV-7; small ones, all different, for other widths."""
    known = {768: (64, 64, 32, 128), 1024: (64, 64, 32, 128), 2048: (96, 96, 64, 256), 2560: (96, 96, 64, 320),
             4096: (128, 128, 96, 480)}
    return known.get(width, (16, 24, 8, 40))


def rwkv(version, width, layers, vocab, ranks=None, layer0_values=False, prefix=""):
    """{name: (shape, distribution, a, b)} of a whole language model. `ranks`: (w, a, v, g) of 7, (mix, decay) of 6."""
    table = {"emb.weight": around(0.0, 0.5, vocab, width)}
    norm(table, "blocks.0.ln0", width)
    for layer in range(layers):
        table |= block(version, layer, width, ranks, layer0_values)
    norm(table, "ln_out", width)
    table["head.weight"] = plain(vocab, width)
    return {prefix + name: value for name, value in table.items()}


def block(version, layer, width, ranks=None, layer0_values=False, flat=False):
    """One block; ln0 is not part of it. `flat`: vectors as [D] instead of [1, 1, D], as some files have them."""
    vector = (width,) if flat else (1, 1, width)
    table = {}
    at = f"blocks.{layer}."
    norm(table, at + "ln1", width)
    norm(table, at + "ln2", width)
    {5: mix5, 6: mix6, 7: mix7}[version](table, at, layer, width, vector, ranks, layer0_values)
    table[at + "att.ln_x.weight"] = around(1.0, 0.1, width)
    table[at + "att.ln_x.bias"] = around(0.0, 0.1, width)
    return table


def channel_mix(table, at, width, hidden, gated):
    table[at + "ffn.key.weight"] = plain(hidden, width)
    table[at + "ffn.value.weight"] = plain(width, hidden, scale=0.3 / math.sqrt(hidden))
    if gated:
        table[at + "ffn.receptance.weight"] = plain(width, width)


def matrices(table, at, width, names):
    for name in names:
        table[f"{at}att.{name}.weight"] = plain(width, width)


def mix5(table, at, layer, width, vector, ranks, layer0_values):
    for name in "kvrg":
        table[f"{at}att.time_mix_{name}"] = between(0, 1, *vector)
    table[at + "att.time_decay"] = between(-6, 0.5, width // 64, 64)
    table[at + "att.time_faaaa"] = around(0.2, 0.5, width // 64, 64)
    matrices(table, at, width, ("receptance", "key", "value", "output", "gate"))
    for name in "kr":
        table[f"{at}ffn.time_mix_{name}"] = between(0, 1, *vector)
    channel_mix(table, at, width, int(width * 3.5) // 32 * 32, True)


def mix6(table, at, layer, width, vector, ranks, layer0_values):
    mix, decay = ranks or ((32, 64) if width < 4096 else (64, 128))
    for name in "xwkvrg":
        table[f"{at}att.time_maa_{name}"] = between(0, 1, *vector)
    table[at + "att.time_maa_w1"] = around(0, 1 / math.sqrt(width), width, 5 * mix)
    table[at + "att.time_maa_w2"] = around(0, 0.5 / math.sqrt(mix), 5, mix, width)
    table[at + "att.time_decay"] = between(-6, 0.5, *vector)
    table[at + "att.time_decay_w1"] = around(0, 1 / math.sqrt(width), width, decay)
    table[at + "att.time_decay_w2"] = around(0, 0.5 / math.sqrt(decay), decay, width)
    table[at + "att.time_faaaa"] = around(0.2, 0.5, width // 64, 64)
    matrices(table, at, width, ("receptance", "key", "value", "output", "gate"))
    for name in "kr":
        table[f"{at}ffn.time_maa_{name}"] = between(0, 1, *vector)
    channel_mix(table, at, width, int(width * 3.5) // 32 * 32, True)


def mix7(table, at, layer, width, vector, ranks, layer0_values):
    rank_w, rank_a, rank_v, rank_g = ranks or ranks_of(width)
    for name in "rwkvag":
        table[f"{at}att.x_{name}"] = between(0, 1, *vector)
    loras = [("w", rank_w), ("a", rank_a), ("v", rank_v), ("g", rank_g)]
    for name, rank in loras:
        if name == "v" and layer == 0 and not layer0_values:
            continue
        if name != "g":
            table[f"{at}att.{name}0"] = between(-5, 2, *vector) if name == "w" else around(0, 1, *vector)
        table[f"{at}att.{name}1"] = around(0, 1 / math.sqrt(width), width, rank)
        table[f"{at}att.{name}2"] = around(0, 1 / math.sqrt(rank), rank, width)
    table[at + "att.k_k"] = around(0.8, 0.2, *vector)
    table[at + "att.k_a"] = around(1.0, 0.2, *vector)
    table[at + "att.r_k"] = around(0, 0.1, width // 64, 64)
    matrices(table, at, width, ("receptance", "key", "value", "output"))
    table[at + "ffn.x_k"] = between(0, 1, *vector)
    channel_mix(table, at, width, 4 * width, False)
