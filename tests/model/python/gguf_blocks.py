# An independent decoder of GGUF's block formats in numpy: blocks as arrays of bits, in the order in which ggml lays out
# its structs. Prints random blocks of every type and their numbers as JSON. Must not know the importer.
import json
import struct
import numpy as np

rng = np.random.default_rng(11)
f32 = np.float32


def bits(raw):
    """Bytes to bits, lowest bit first: (..., n) -> (..., n, 8)."""
    return np.unpackbits(raw[..., None], axis=-1, bitorder="little").astype(np.int32)


def number(parts):
    """Bit planes, lowest first, to whole numbers."""
    return sum(plane << i for i, plane in enumerate(parts))


def low_high(raw):
    """32 numbers of 4 bits from 16 bytes, or 2n from n: all low halves, then all high halves; as bit planes."""
    b = bits(raw)
    return [np.concatenate([b[:, i], b[:, 4 + i]]) for i in range(4)]


def simple(kind, block):
    d = f32(np.frombuffer(block[:2], np.float16)[0])
    has_min, has_fifth = kind in ("q4_1", "q5_1"), kind in ("q5_0", "q5_1")
    at = 4 if has_min else 2
    raw = np.frombuffer(block, np.uint8)
    if kind == "q8_0":
        return raw[2:].view(np.int8).astype(f32) * d
    planes = low_high(raw[at + 4 * has_fifth:])
    if has_fifth:
        planes.append(bits(raw[at:at + 4]).reshape(32))
    q = number(planes)
    if has_min:
        return q.astype(f32) * d + f32(np.frombuffer(block[2:4], np.float16)[0])
    return (q - (16 if has_fifth else 8)).astype(f32) * d


def two_bits(raw):
    """256 numbers of 2 bits from 64 bytes: per 32 bytes four layers of 32."""
    b = bits(raw).reshape(2, 32, 4, 2).transpose(0, 2, 1, 3)
    return b[..., 0].reshape(256), b[..., 1].reshape(256)


def k6(raw):
    """12 bytes to 8 scales and 8 minima of 6 bits."""
    words = [int(byte) for byte in raw]
    scale, least = [0] * 8, [0] * 8
    for i in range(4):
        scale[i], least[i] = words[i] % 64, words[4 + i] % 64
        scale[4 + i] = words[8 + i] % 16 + 16 * (words[i] // 64)
        least[4 + i] = words[8 + i] // 16 + 16 * (words[4 + i] // 64)
    return np.array(scale, f32), np.array(least, f32)


def k_block(kind, block):
    raw = np.frombuffer(block, np.uint8)
    half = lambda at: f32(struct.unpack_from("<e", block, at)[0])
    if kind == "q2_k":
        q = number(two_bits(raw[16:80])).reshape(16, 16).astype(f32)
        scale, least = half(80) * (raw[:16] % 16).astype(f32), half(82) * (raw[:16] // 16).astype(f32)
        return (scale[:, None] * q - least[:, None]).reshape(256)
    if kind == "q3_k":
        third = bits(raw[:32]).T.reshape(256)
        q = number([*two_bits(raw[32:96]), third]) - 4
        packed = raw[96:108]
        low = np.concatenate([packed[:8] % 16, packed[:8] // 16]).astype(np.int32)
        high = number(list(np.moveaxis(bits(packed[8:]).reshape(4, 4, 2), -1, 0))).T.reshape(16)
        scale = half(108) * (low + 16 * high - 32).astype(f32)
        return (scale[:, None] * q.reshape(16, 16).astype(f32)).reshape(256)
    if kind in ("q4_k", "q5_k"):
        scale, least = k6(raw[4:16])
        body = raw[48:] if kind == "q5_k" else raw[16:]
        planes = [np.concatenate(parts) for parts in zip(*[low_high(part) for part in body.reshape(4, 32)])]
        if kind == "q5_k":
            planes.append(bits(raw[16:48]).T.reshape(256))
        q = number(planes).reshape(8, 32).astype(f32)
        scale, least = half(0) * scale, half(2) * least
        return (scale[:, None] * q - least[:, None]).reshape(256)
    low = [np.concatenate(parts) for parts in zip(*[low_high(part) for part in raw[:128].reshape(2, 64)])]
    high = two_bits(raw[128:192])
    scale = half(208) * raw[192:208].view(np.int8).astype(f32)
    q = (number([*low, *high]) - 32).reshape(16, 16).astype(f32)
    return (scale[:, None] * q).reshape(256)


# Bytes of a block, and where its float16 numbers stand.
KINDS = {
    "q4_0": (18, [0]), "q4_1": (20, [0, 2]), "q5_0": (22, [0]), "q5_1": (24, [0, 2]), "q8_0": (34, [0]),
    "q2_k": (84, [80, 82]), "q3_k": (110, [108]), "q4_k": (144, [0, 2]), "q5_k": (176, [0, 2]), "q6_k": (210, [208]),
}
answer = {}
for kind, (size, halves) in KINDS.items():
    blocks, numbers = b"", []
    for _ in range(40):
        block = bytearray(rng.bytes(size))
        for at in halves:
            struct.pack_into("<e", block, at, rng.normal() * 10.0 ** rng.integers(-5, 3))
        blocks += block
        numbers.append((k_block if kind.endswith("k") else simple)(kind, bytes(block)))
    answer[kind] = {"blocks": blocks.hex(), "numbers": np.concatenate(numbers).astype(f32).tobytes().hex()}
print(json.dumps(answer))
