# The references against numbers that are known from elsewhere: the acceptance values of the specification (RWKV-6 and
# 7), equations of RWKV-5 written a second way, torch's own attention, and SAM's attention in plain loops.
#   python3 check_references.py      prints {name: largest error}; the test that runs it judges
import json
import numpy
import torch
import rwkv_reference
import towers
from rwkv_reference import Weights, logits

VOCAB, WIDTH, LAYERS, TOKENS = 32, 128, 2, [1, 5, 9, 3, 7]
# Of the specification: first six logits of the first and of the last position, sum of the last row, sum of each state.
KNOWN = {
    7: ([0.50442733, -0.97746170, -0.87379759, -0.38724072, 0.38832692, 0.10221201],
        [-0.22252144, -0.31035827, -0.18160088, -0.21055550, -0.22845531, -0.47686193],
        -1.6272305042, [4.1234031347, -26.1022597437]),
    6: ([-0.66862839, -0.87100494, -1.14148548, 0.43843716, 0.03926921, -0.05510978],
        [1.04950149, -0.21271816, 0.02936638, -0.83562821, 0.64649367, 0.74530392],
        3.3191212019, [-96.0579374885, -77.5789202773]),
}
# (ending of the name, scale, offset) of the pseudo-random weights, first match wins.
SCALES = [
    ("emb.weight", 1, 0), ("head.weight", 0.1, 0), ("ln_x.weight", 0.1, 1), ("ln_x.bias", 0.1, 0), ("w0", 3, -2),
    ("a0", 1, 0), ("v0", 1, 0), ("k_k", 0.2, 0.8), ("k_a", 0.2, 1), ("r_k", 0.1, 0), ("time_maa_w1", 0.2, 0),
    ("time_maa_w2", 0.2, 0), ("time_decay", 2.5, -3), ("time_decay_w1", 0.2, 0), ("time_decay_w2", 0.2, 0),
    ("time_faaaa", 0.5, 0.2), ("ffn.value.weight", 0.05, 0),
]


def scale_of(name):
    for ending, scale, offset in SCALES:
        if name.endswith(ending):
            return scale, offset
    last = name.split(".")[-1]
    if ".ln" in name or name.startswith("ln"):
        return (0.1, 1) if last == "weight" else (0.1, 0)
    if last.startswith("x_") or "time_maa_" in last:
        return 0.5, 0.5
    return (0.2, 0) if len(last) == 2 else (0.15, 0)


def pseudo_random(names_and_shapes):
    table = {}
    for number, name in enumerate(sorted(names_and_shapes)):
        shape = names_and_shapes[name]
        scale, offset = scale_of(name)
        x, values = (number + 1) * 2654435761 % 2**32, []
        for _ in range(int(numpy.prod(shape))):
            x = (1664525 * x + 1013904223) % 2**32
            values.append(offset + scale * (x / 2**31 - 1))
        table[name] = numpy.array(values).reshape(shape)
    return table


def known_model(version):
    import rwkv_shapes
    ranks = (16, 16, 8, 24) if version == 7 else (8, 16)
    table = rwkv_shapes.rwkv(version, WIDTH, LAYERS, VOCAB, ranks)
    flat = {name: ((WIDTH,) if shape == (1, 1, WIDTH) else shape) for name, (shape, *_rest) in table.items()}
    rows, states = logits(Weights(pseudo_random(flat)), TOKENS)
    first, last, total, sums = KNOWN[version]
    found = [*rows[0][:6], *rows[4][:6], rows[4].sum(), *(state["state"].sum() for state in states)]
    return numpy.abs(numpy.array(found) - numpy.array([*first, *last, total, *sums])).max()


def toy_states():
    """Two steps of RWKV-6's recurrence with known results, in the corner of a 64 x 64 state."""
    def wide(rows):
        out = numpy.zeros((2, 1, 64))
        out[:, 0, :2] = rows
        return out

    bonus = numpy.zeros((1, 64))
    bonus[0, :2] = [0.3, -0.2]
    r, w, k, v = (wide(rows) for rows in ([[1, 0.5], [0.25, -1]], [[0.9, 0.8], [0.7, 0.95]], [[0.5, -0.5], [1, 0.25]],
                                          [[2, -1], [0.5, 1]]))
    y, state = rwkv_reference.wkv6(r, w, k, v, bonus)
    wanted = [0.4, -0.2, 1.3125, -0.5, 1.2, 0.65, -0.825, 0.725]
    return numpy.abs(numpy.array([*y[:, 0, :2].ravel(), *state[0, :2, :2].ravel()]) - wanted).max()


def five_as_sums():
    """RWKV-5's time mix: the state written out as the sum over all earlier positions."""
    import rwkv_shapes
    from weight_files import fill
    p = Weights(fill(rwkv_shapes.rwkv(5, 128, 1, 8), 3, "f32")).block(0)
    h = numpy.random.default_rng(1).standard_normal((7, 128))
    before = numpy.vstack([numpy.zeros(128), h[:-1]])
    r, k, v, g = ((h * m + before * (1 - m)) @ p[f"att.{n}.weight"].T for n, m in
                  ((n, p[f"att.time_mix_{n[0]}"]) for n in ("receptance", "key", "value", "gate")))
    w, u = numpy.exp(-numpy.exp(p["att.time_decay"])), p["att.time_faaaa"]
    out = numpy.zeros((7, 128))
    for t in range(7):
        for head in range(2):
            cut = slice(64 * head, 64 * head + 64)
            weights = [(w[head] ** (t - 1 - i) if i < t else u[head]) * k[i, cut] for i in range(t + 1)]
            y = sum((r[t, cut] @ weight) * v[i, cut] for i, weight in enumerate(weights)) / 8
            out[t, cut] = (y - y.mean()) / numpy.sqrt(y.var() + 1e-5)
    wanted = (out * p["att.ln_x.weight"] + p["att.ln_x.bias"]) * (g / (1 + numpy.exp(-g))) @ p["att.output.weight"].T
    return numpy.abs(rwkv_reference.mix5(h, p)[0] - wanted).max()


def plain_attention():
    torch.manual_seed(1)
    layer = torch.nn.MultiheadAttention(96, 4, batch_first=True).double()
    x = torch.randn(2, 9, 96, dtype=torch.float64)
    q, k, v = torch.nn.functional.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, -1)
    return (layer.out_proj(towers.attend(q, k, v, 4)) - layer(x, x, x)[0]).abs().max().item()


def window_attention():
    """sam_attention on one window of 3 x 3, two heads of 4, by the definition."""
    torch.manual_seed(2)
    side, heads, d = 3, 2, 4
    tensors = {"qkv.weight": torch.randn(24, 8), "qkv.bias": torch.randn(24), "proj.weight": torch.eye(8),
               "proj.bias": torch.zeros(8), "rel_pos_h": torch.randn(5, d), "rel_pos_w": torch.randn(5, d)}
    x = torch.randn(1, side, side, 8, dtype=torch.float64)
    part = towers.Part(tensors)
    qkv = part.linear("qkv", x)[0].reshape(9, 3, heads, d)
    wanted = torch.zeros(9, heads, d, dtype=torch.float64)
    for head in range(heads):
        for a in range(9):
            scores = torch.zeros(9, dtype=torch.float64)
            for b in range(9):
                q, k = qkv[a, 0, head], qkv[b, 1, head]
                rows, columns = a // 3 - b // 3 + 2, a % 3 - b % 3 + 2
                scores[b] = q @ k / d**0.5 + q @ part["rel_pos_h"][rows] + q @ part["rel_pos_w"][columns]
            wanted[a, head] = scores.softmax(0) @ qkv[:, 2, head]
    return (towers.sam_attention(part, x, heads).reshape(9, heads, d) - wanted).abs().max().item()


if __name__ == "__main__":
    print(json.dumps({"rwkv7": known_model(7), "rwkv6": known_model(6), "toy": toy_states(), "rwkv5": five_as_sums(),
                      "attention": plain_attention(), "window": window_attention()}))
