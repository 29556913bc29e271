# RWKV-5.2, 6 and 7 over whole sequences in float64, written from the published formulas and nothing else: the
# independent answer that the native engine is compared with. Must not know containers or our own code.
import numpy


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def layer_norm(x, weight, bias, epsilon=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * weight + bias


def earlier(h):
    """Row t holds row t - 1; the first row is zero."""
    return numpy.concatenate([numpy.zeros_like(h[:1]), h[:-1]])


class Weights:
    """Tensors of one model in float64, [1, 1, D] as [D]. `prefix` is what a larger file puts before the names."""

    def __init__(self, tensors, prefix=""):
        self.table = {}
        for name, tensor in tensors.items():
            if name.startswith(prefix) and (prefix or not name.startswith(("vit.", "proj.", "vtc."))):
                values = numpy.asarray(tensor.double() if hasattr(tensor, "double") else tensor, dtype=numpy.float64)
                flat = values.reshape(-1) if values.ndim == 3 and values.shape[:2] == (1, 1) else values
                self.table[name[len(prefix):]] = flat
        self.layers = 1 + max(int(name.split(".")[1]) for name in self.table if name.startswith("blocks."))
        first = "blocks.0.att."
        self.version = 7 if first + "x_r" in self.table else 6 if first + "time_maa_x" in self.table else 5

    def __getitem__(self, name):
        return self.table[name]

    def block(self, layer):
        at = f"blocks.{layer}."
        return {name[len(at):]: values for name, values in self.table.items() if name.startswith(at)}


def group_norm(y, p):
    """[T, H, 64]: every head by itself."""
    centred = y - y.mean(-1, keepdims=True)
    whole = (centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + 64e-5)).reshape(len(y), -1)
    return whole * p["att.ln_x.weight"] + p["att.ln_x.bias"]


def mix7(h, p, first_values):
    heads = (len(h), -1, 64)
    move = earlier(h) - h
    x = {name: h + move * p["att.x_" + name] for name in "rwkvag"}
    r, k0, v = (x[n[0]] @ p[f"att.{n}.weight"].T for n in ("receptance", "key", "value"))
    z = p["att.w0"] + numpy.tanh(x["w"] @ p["att.w1"]) @ p["att.w2"]
    w = numpy.exp(-numpy.exp(-0.5) * sigmoid(z))
    a = sigmoid(p["att.a0"] + x["a"] @ p["att.a1"] @ p["att.a2"])
    g = sigmoid(x["g"] @ p["att.g1"]) @ p["att.g2"]
    if first_values is None:
        first_values = v
    else:
        v = v + (first_values - v) * sigmoid(p["att.v0"] + x["v"] @ p["att.v1"] @ p["att.v2"])
    u = (k0 * p["att.k_k"]).reshape(heads)
    kk = u / numpy.maximum(numpy.sqrt((u**2).sum(-1, keepdims=True)), 1e-12)
    k = k0 * (1 + (a - 1) * p["att.k_a"])
    r, w, k, v, a = (value.reshape(heads) for value in (r, w, k, v, a))
    state = numpy.zeros((kk.shape[1], 64, 64))
    y = numpy.empty_like(r)
    for t in range(len(h)):
        removed = numpy.einsum("hij,hj->hi", state, kk[t])
        state = state * w[t][:, None, :] - removed[:, :, None] * (kk[t] * a[t])[:, None, :]
        state += v[t][:, :, None] * k[t][:, None, :]
        y[t] = numpy.einsum("hij,hj->hi", state, r[t])
    bonus = (r * k * p["att.r_k"]).sum(-1, keepdims=True) * v
    y = group_norm(y, p) + bonus.reshape(len(h), -1)
    return (y * g) @ p["att.output.weight"].T, state, first_values


def wkv6(r, w, k, v, bonus):
    """States are [H, key, value]; the current position is read through `bonus`."""
    state = numpy.zeros((r.shape[1], 64, 64))
    y = numpy.empty_like(r)
    for t in range(len(r)):
        now = (r[t] * bonus * k[t]).sum(-1, keepdims=True) * v[t]
        y[t] = numpy.einsum("hij,hi->hj", state, r[t]) + now
        state = w[t][:, :, None] * state + k[t][:, :, None] * v[t][:, None, :]
    return y, state


def mix6(h, p):
    heads = (len(h), -1, 64)
    move = earlier(h) - h
    five = numpy.tanh((h + move * p["att.time_maa_x"]) @ p["att.time_maa_w1"]).reshape(len(h), 5, -1)
    learned = numpy.einsum("tim,imd->itd", five, p["att.time_maa_w2"])
    x = {name: h + move * (p["att.time_maa_" + name] + learned[i]) for i, name in enumerate("wkvrg")}
    decay = p["att.time_decay"] + numpy.tanh(x["w"] @ p["att.time_decay_w1"]) @ p["att.time_decay_w2"]
    return finish6(x, numpy.exp(-numpy.exp(decay)).reshape(heads), p)


def mix5(h, p):
    x = {name: h * p["att.time_mix_" + name] + earlier(h) * (1 - p["att.time_mix_" + name]) for name in "kvrg"}
    w = numpy.exp(-numpy.exp(p["att.time_decay"].reshape(-1, 64)))
    return finish6(x, numpy.broadcast_to(w, (len(h), *w.shape)), p)


def finish6(x, w, p):
    r, k, v = (
        (x[n[0]] @ p[f"att.{n}.weight"].T).reshape(w.shape) for n in ("receptance", "key", "value")
    )
    g = x["g"] @ p["att.gate.weight"].T
    y, state = wkv6(r, w, k, v, p["att.time_faaaa"].reshape(-1, 64))
    return (group_norm(y, p) * (g * sigmoid(g))) @ p["att.output.weight"].T, state


def channel_mix(h, p, version):
    before = earlier(h)
    if version == 7:
        xk = h + (before - h) * p["ffn.x_k"]
    elif version == 6:
        xk, xr = (h + (before - h) * p["ffn.time_maa_" + name] for name in "kr")
    else:
        xk, xr = (h * p["ffn.time_mix_" + n] + before * (1 - p["ffn.time_mix_" + n]) for n in "kr")
    out = numpy.maximum(xk @ p["ffn.key.weight"].T, 0) ** 2 @ p["ffn.value.weight"].T
    return out if version == 7 else sigmoid(xr @ p["ffn.receptance.weight"].T) * out


def run_blocks(weights, x, order_of=lambda layer, length: None):
    """
    All blocks over x [T, D], behind ln0. `order_of(layer, T)` gives the order in which that layer sees the rows;
    they are put back behind it. Returns x and per layer {att_prev, state, ffn_prev}.
    """
    states, first_values = [], None
    for layer in range(weights.layers):
        p = weights.block(layer)
        order = order_of(layer, len(x))
        if order is not None:
            x = x[order]
            first_values = None if first_values is None else first_values[order]
        h = layer_norm(x, p["ln1.weight"], p["ln1.bias"])
        if weights.version == 7:
            out, state, first_values = mix7(h, p, first_values)
        else:
            out, state = (mix6 if weights.version == 6 else mix5)(h, p)
        x = x + out
        h2 = layer_norm(x, p["ln2.weight"], p["ln2.bias"])
        x = x + channel_mix(h2, p, weights.version)
        states.append({"att_prev": h[-1], "state": state, "ffn_prev": h2[-1]})
        if order is not None:
            back = numpy.argsort(order)
            x = x[back]
            first_values = None if first_values is None else first_values[back]
    return x, states


def forward(weights, vectors, order_of=lambda layer, length: None):
    """Embedding-sequence vectors [T, D] before ln0 → (rows behind ln_out [T, D], states)."""
    x = layer_norm(vectors, weights["blocks.0.ln0.weight"], weights["blocks.0.ln0.bias"])
    x, states = run_blocks(weights, x, order_of)
    return layer_norm(x, weights["ln_out.weight"], weights["ln_out.bias"]), states


def logits(weights, tokens):
    """[T, V] for token ids from the zero state."""
    rows, states = forward(weights, weights["emb.weight"][numpy.asarray(tokens)])
    return rows @ weights["head.weight"].T, states
