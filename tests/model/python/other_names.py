# The same RWKV weights under the names of flash-linear-attention (safetensors) and of GGUF, with what these formats
# change: transposed LoRA matrices, fused mixes, rescaled layers. Must not know how files are written.
import collections
import re
import torch

FLA_VECTORS = {"k_k": "attn.k_k", "k_a": "attn.k_a"}
MATRICES = ("receptance", "key", "value", "output")


def flat(tensor):
    return tensor.reshape(-1)


def to_fla(tensors):
    """RWKV-7, official names → Hugging Face names of flash-linear-attention."""
    fixed = {"emb.weight": "model.embeddings.weight", "head.weight": "lm_head.weight"}
    parts = {"ln0": "pre_norm", "ln1": "attn_norm", "ln2": "ffn_norm"}
    out = collections.OrderedDict()
    for name, tensor in tensors.items():
        match = re.match(r"blocks\.(\d+)\.(.*)", name)
        if not match:
            out[fixed.get(name, name.replace("ln_out", "model.norm"))] = tensor
            continue
        at, rest = f"model.layers.{match[1]}.", match[2]
        lora = re.match(r"att\.([wavg])([012])$", rest)
        if lora:
            letter, step = lora.groups()
            part = {"0": "2.bias", "1": "0.weight", "2": "2.weight"}[step]
            out[f"{at}attn.{letter}_lora.lora.{part}"] = flat(tensor) if step == "0" else tensor.t().contiguous()
        elif rest in ("att.k_k", "att.k_a", "ffn.x_k"):
            out[at + rest.replace("att.", "attn.")] = flat(tensor)
        elif rest.startswith("ln"):
            head, tail = rest.split(".")
            out[f"{at}{parts[head]}.{tail}"] = tensor
        else:
            for matrix in MATRICES:
                rest = rest.replace(f"att.{matrix}.", f"attn.{matrix[0]}_proj.")
            out[at + rest.replace("att.ln_x", "attn.g_norm").replace("att.", "attn.")] = tensor
    return out


GGUF_FIXED = {
    "emb.weight": "token_embd.weight",
    "head.weight": "output.weight",
    "blocks.0.ln0.weight": "token_embd_norm.weight",
    "blocks.0.ln0.bias": "token_embd_norm.bias",
    "ln_out.weight": "output_norm.weight",
    "ln_out.bias": "output_norm.bias",
}
GGUF_PARTS = {"att.ln_x": "time_mix_ln", "ln1": "attn_norm", "ln2": "attn_norm_2"}
SIX_NAMES = {
    "att.time_maa_x": "time_mix_lerp_x",
    "att.time_maa_w1": "time_mix_w1",
    "att.time_maa_w2": "time_mix_w2",
    "att.time_decay": "time_mix_decay",
    "att.time_decay_w1": "time_mix_decay_w1",
    "att.time_decay_w2": "time_mix_decay_w2",
    "att.time_faaaa": "time_mix_first",
    "ffn.time_maa_k": "channel_mix_lerp_k",
    "ffn.time_maa_r": "channel_mix_lerp_r",
}


def to_gguf(tensors, rescale=0):
    """Official names of RWKV-6 or 7 → GGUF names; shapes outermost first. `rescale`: rescale_every_n_layers of 6."""
    out = collections.OrderedDict()
    layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
    seven = "blocks.0.att.x_r" in tensors
    for name, tensor in tensors.items():
        if not name.startswith("blocks.") or ".ln0." in name:
            out[GGUF_FIXED[name]] = tensor
    for layer in range(layers):
        at = f"blocks.{layer}."
        inner = {name[len(at):]: tensor for name, tensor in tensors.items() if name.startswith(at)}
        converted = seven_block(inner, layer) if seven else six_block(inner)
        if rescale:
            for name in ("time_mix_output.weight", "channel_mix_value.weight"):
                converted[name] = converted[name] / 2 ** (layer // rescale)
        out |= {f"blk.{layer}.{name}": tensor for name, tensor in converted.items()}
    return out


def common(inner):
    out = {}
    for name, tensor in inner.items():
        for part, new in GGUF_PARTS.items():
            if name.startswith(part + "."):
                out[name.replace(part, new)] = tensor
        match = re.match(r"(att|ffn)\.(receptance|key|value|output|gate)\.weight", name)
        if match:
            out[f"{'time' if match[1] == 'att' else 'channel'}_mix_{match[2]}.weight"] = tensor
    return out


def seven_block(inner, layer):
    out = common(inner)
    out["time_mix_lerp_fused.weight"] = torch.stack([inner[f"att.x_{name}"].reshape(1, 1, -1) for name in "rwkvag"])
    for name in "wavg":
        # Layer 0 has copies of a where v would be: readers want the tensors, nobody uses them.
        source = "a" if name == "v" and layer == 0 else name
        for step in "012":
            if name + step == "g0":
                continue
            tensor = inner[f"att.{source}{step}"]
            out[f"time_mix_{name}{step}.weight"] = flat(tensor) if step == "0" else tensor.t().contiguous()
    for name in ("k_k", "k_a", "r_k"):
        out[f"time_mix_{name}.weight"] = flat(inner[f"att.{name}"])
    out["channel_mix_lerp_k.weight"] = flat(inner["ffn.x_k"])
    return out


def six_block(inner):
    out = common(inner)
    out["time_mix_lerp_fused.weight"] = torch.stack([inner[f"att.time_maa_{n}"].reshape(1, 1, -1) for n in "wkvrg"])
    for name, new in SIX_NAMES.items():
        tensor = inner[name]
        if name.endswith("time_maa_w2"):
            tensor = tensor.permute(0, 2, 1).contiguous()
        elif name.endswith(("_w1", "_w2")):
            tensor = tensor.t().contiguous()
        elif not name.endswith("time_faaaa"):
            tensor = flat(tensor)
        out[new + ".weight"] = tensor
    return out
