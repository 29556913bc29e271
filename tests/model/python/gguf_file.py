# Writes GGUF version 3: metadata of RWKV-6 and 7, tensors as f32, f16, bf16 and q8_0, and a World-type tokenizer.
# Must not know how the weights came about.
import struct
import numpy
import torch
from weight_files import bytes_of

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TYPE_IDS = {"f32": 0, "f16": 1, "q8_0": 8, "bf16": 30}
ALIGNMENT = 32
# Small matrices that converters leave at full precision.
KEPT = ("_w1.", "_w2.", "_a1.", "_a2.", "_v1.", "_v2.", "_g1.", "_g2.", "lerp", "time_mix_first", "norm", "_ln.")


def q8_0(values):
    """Blocks of 32: an f16 scale and 32 signed bytes. Returns the bytes and the values that they stand for."""
    blocks = values.reshape(-1, 32).astype(numpy.float32)
    scale = (numpy.abs(blocks).max(1) / 127).astype(numpy.float16)
    inverse = numpy.where(scale == 0, 0, 1 / numpy.maximum(scale.astype(numpy.float32), 1e-30))
    whole = numpy.clip(numpy.round(blocks * inverse[:, None]), -127, 127).astype(numpy.int8)
    data = numpy.concatenate([scale.view(numpy.uint8).reshape(-1, 2), whole.view(numpy.uint8)], axis=1).tobytes()
    return data, (whole.astype(numpy.float32) * scale.astype(numpy.float32)[:, None]).reshape(values.shape)


def encode(name, tensor, kind):
    """(type, bytes, tensor as a reader sees it)"""
    if tensor.dim() < 2 or any(part in name for part in KEPT) or kind == "f32":
        return "f32", bytes_of(tensor.float()), tensor.float()
    if kind == "q8_0" and tensor.shape[-1] % 32 == 0 and "token_embd" not in name:
        data, read = q8_0(tensor.float().numpy())
        return "q8_0", data, torch.from_numpy(read)
    exact = tensor.to(torch.bfloat16 if kind == "bf16" else torch.float16)
    return "bf16" if kind == "bf16" else "f16", bytes_of(exact), exact.float()


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, kind, value):
    head = text(key) + struct.pack("<I", kind)
    if kind == STRING:
        return head + text(value)
    if kind == ARRAY:
        inner, items = value
        body = b"".join(text(item) for item in items) if inner == STRING else struct.pack(f"<{len(items)}i", *items)
        return head + struct.pack("<IQ", inner, len(items)) + body
    return head + struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def tokens_of(vocab):
    """Token 0 is a control token, 1..256 are the bytes, the others are words of two and more letters."""
    names = ["<s>"] + [repr(bytes([byte]))[2:-1] for byte in range(256)]
    first = ord("a")
    for index in range(max(0, vocab - 257)):
        word, left = "", index
        for _ in range(3):
            word += chr(first + left % 26)
            left //= 26
        names.append(word if index < 26**3 else f"[PAD{index}]")
    return names[:vocab]


def metadata(tensors, rescale):
    """The keys that RWKV readers want, in the order converters write them."""
    seven = "blk.0.time_mix_w0.weight" in tensors
    arch = "rwkv7" if seven else "rwkv6"
    vocab, width = tensors["token_embd.weight"].shape
    layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blk."))
    inner = {name: tensors[f"blk.{layers - 1}.{name}.weight"] for name in ("channel_mix_key", "time_mix_w1")}
    keys = [("general.architecture", STRING, arch), ("general.name", STRING, "random"),
            (arch + ".context_length", U32, 1_048_576), (arch + ".embedding_length", U32, width),
            (arch + ".block_count", U32, layers), (arch + ".attention.layer_norm_epsilon", F32, 1e-5),
            (arch + ".wkv.head_size", U32, 64), (arch + ".feed_forward_length", U32, inner["channel_mix_key"].shape[0]),
            (arch + ".attention.head_count", U32, 0)]
    if seven:
        for key, name in (("decay", "w"), ("iclr", "a"), ("value_residual_mix", "v"), ("gate", "g")):
            rank = tensors[f"blk.{layers - 1}.time_mix_{name}1.weight"].shape[0]
            keys.append((f"{arch}.attention.{key}_lora_rank", U32, rank))
    else:
        keys += [(arch + ".rescale_every_n_layers", U32, rescale),
                 (arch + ".time_mix_extra_dim", U32, inner["time_mix_w1"].shape[0] // 5),
                 (arch + ".time_decay_extra_dim", U32, tensors["blk.0.time_mix_decay_w1.weight"].shape[0])]
    names = tokens_of(vocab)
    kinds = [3] + [5 if name.startswith("[PAD") else 1 for name in names[1:]]
    return keys + [("tokenizer.ggml.model", STRING, "rwkv"), ("tokenizer.ggml.tokens", ARRAY, (STRING, names)),
                   ("tokenizer.ggml.token_type", ARRAY, (I32, kinds)),
                   ("tokenizer.ggml.eot_token_id", U32, min(261, vocab - 1))]


def write_gguf(path, tensors, kind="f16", rescale=0):
    """Returns {name: float32 tensor} as a reader sees the file."""
    keys = metadata(tensors, rescale)
    infos, bodies, read, at = b"", [], {}, 0
    for name, tensor in tensors.items():
        stored, data, read[name] = encode(name, tensor, kind)
        sides = list(reversed(tensor.shape))
        infos += text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, TYPE_IDS[stored], at)
        data += b"\0" * (-len(data) % ALIGNMENT)
        bodies.append(data)
        at += len(data)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys)) + b"".join(entry(*key) for key in keys) + infos
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % ALIGNMENT))
        for data in bodies:
            file.write(data)
    return read
