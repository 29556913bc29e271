# The vision towers of VisualRWKV in plain torch, written from the model description: functions of a state dict with
# the tensor names of released files. Sizes come from shapes; head counts are arguments. The independent answer that
# our ONNX graphs are compared with. Must not know containers or our own code.
import torch
import torch.nn.functional as F

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
ACTIVATIONS = {
    "quick": lambda x: x * torch.sigmoid(1.702 * x),
    "erf": lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)),
    "tanh": lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))),
}


class Part:
    """Tensors whose names begin with a prefix, in one floating-point type."""

    def __init__(self, tensors, prefix="", dtype=torch.float64):
        self.tensors, self.prefix, self.dtype = tensors, prefix, dtype

    def __getitem__(self, name):
        return self.tensors[self.prefix + name].to(self.dtype)

    def has(self, name):
        return self.prefix + name in self.tensors

    def inner(self, more):
        return Part(self.tensors, self.prefix + more, self.dtype)

    def count(self, at):
        """Layers under a name like "blocks."."""
        start = self.prefix + at
        return 1 + max(int(name[len(start):].split(".")[0]) for name in self.tensors if name.startswith(start))

    def linear(self, name, x):
        bias = self[name + ".bias"] if self.has(name + ".bias") else None
        return F.linear(x, self[name + ".weight"], bias)

    def norm(self, name, x, epsilon):
        return F.layer_norm(x, x.shape[-1:], self[name + ".weight"], self[name + ".bias"], epsilon)


def pixels(rgb, mean, std, dtype=torch.float64):
    """uint8 [B, H, W, 3] → normalised [B, 3, H, W]."""
    x = rgb.to(dtype) / 255
    return ((x - torch.tensor(mean, dtype=dtype)) / torch.tensor(std, dtype=dtype)).permute(0, 3, 1, 2)


def embed(part, name, x):
    """Patches [B, grid * grid, C], row-major."""
    weight = part[name + ".weight"]
    bias = part[name + ".bias"] if part.has(name + ".bias") else None
    return F.conv2d(x, weight, bias, stride=weight.shape[-1]).flatten(2).transpose(1, 2)


def attend(q, k, v, heads, bias=None):
    """[B, T, C] each; bias [B, heads, T, T] is added to the scores."""
    b, t, c = q.shape
    q, k, v = (x.reshape(b, t, heads, c // heads).transpose(1, 2) for x in (q, k, v))
    scores = (q * (c // heads) ** -0.5) @ k.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c)


def encoder_layer(part, x, heads, epsilon, activation):
    """transformers' CLIP and SigLIP."""
    h = part.norm("layer_norm1", x, epsilon)
    q, k, v = (part.linear(f"self_attn.{name}_proj", h) for name in "qkv")
    x = x + part.linear("self_attn.out_proj", attend(q, k, v, heads))
    h = part.norm("layer_norm2", x, epsilon)
    return x + part.linear("mlp.fc2", ACTIVATIONS[activation](part.linear("mlp.fc1", h)))


def clip(part, rgb, heads, activation="quick"):
    """[B, 1 + grid * grid, C], class token first, before post_layernorm. `part` stands at "vision_model."."""
    x = embed(part, "embeddings.patch_embedding", pixels(rgb, *CLIP, part.dtype))
    first = part["embeddings.class_embedding"].expand(len(x), 1, -1)
    x = torch.cat([first, x], 1) + part["embeddings.position_embedding.weight"]
    x = part.norm("pre_layrnorm", x, 1e-5)
    for layer in range(part.count("encoder.layers.")):
        x = encoder_layer(part.inner(f"encoder.layers.{layer}."), x, heads, 1e-5, activation)
    return x


def siglip2(part, rgb, heads, activation="tanh", post_norm=True):
    """[B, grid * grid, C]."""
    x = embed(part, "embeddings.patch_embedding", pixels(rgb, *HALF, part.dtype))
    x = x + part["embeddings.position_embedding.weight"]
    for layer in range(part.count("encoder.layers.")):
        x = encoder_layer(part.inner(f"encoder.layers.{layer}."), x, heads, 1e-6, activation)
    return part.norm("post_layernorm", x, 1e-6) if post_norm else x


def timm_block(part, x, heads, activation):
    q, k, v = part.linear("attn.qkv", part.norm("norm1", x, 1e-6)).chunk(3, -1)
    out = part.linear("attn.proj", attend(q, k, v, heads))
    x = x + (out * part["ls1.gamma"] if part.has("ls1.gamma") else out)
    h = ACTIVATIONS[activation](part.linear("mlp.fc1", part.norm("norm2", x, 1e-6)))
    out = part.linear("mlp.fc2", h)
    return x + (out * part["ls2.gamma"] if part.has("ls2.gamma") else out)


def siglip(part, rgb, heads, activation="erf"):
    """timm's layout: behind the second to last block, no final norm."""
    x = embed(part, "patch_embed.proj", pixels(rgb, *HALF, part.dtype)) + part["pos_embed"]
    for layer in range(part.count("blocks.") - 1):
        x = timm_block(part.inner(f"blocks.{layer}."), x, heads, activation)
    return x


def dino(part, rgb, heads):
    """Patches behind the second to last block; positions stand on patches only, then class and registers go in front."""
    x = embed(part, "patch_embed.proj", pixels(rgb, *IMAGENET, part.dtype)) + part["pos_embed"]
    front = [part[name].expand(len(x), -1, -1) for name in ("cls_token", "reg_token") if part.has(name)]
    x = torch.cat([*front, x], 1)
    for layer in range(part.count("blocks.") - 1):
        x = timm_block(part.inner(f"blocks.{layer}."), x, heads, "erf")
    return x[:, sum(token.shape[1] for token in front):]


def relative(q, table, side, axis):
    """
    Scores of distances along one axis for q [B, side, side, d] (unscaled): [B, side, side, side]; the last axis counts
    the keys' rows (axis 1) or columns (axis 2).
    """
    places = torch.arange(side)
    rows = table[places[:, None] - places[None, :] + side - 1]
    return torch.einsum("byxd,ykd->byxk" if axis == 1 else "byxd,xkd->byxk", q, rows)


def sam_attention(part, x, heads):
    """x: [B, side, side, C], one window or the whole grid."""
    b, side, _, c = x.shape
    d = c // heads
    q, k, v = part.linear("qkv", x).reshape(b, side * side, 3, c).unbind(2)
    per_head = q.reshape(b, side, side, heads, d).permute(0, 3, 1, 2, 4).reshape(b * heads, side, side, d)
    down = relative(per_head, part["rel_pos_h"], side, 1)
    across = relative(per_head, part["rel_pos_w"], side, 2)
    bias = (down[..., :, None] + across[..., None, :]).reshape(b, heads, side * side, side * side)
    return part.linear("proj", attend(q, k, v, heads, bias)).reshape(b, side, side, c)


def sam_block(part, x, heads):
    b, grid, _, c = x.shape
    window = (len(part["attn.rel_pos_h"]) + 1) // 2
    h = part.norm("norm1", x, 1e-6)
    if window != grid:
        n = -(-grid // window)
        missing = n * window - grid
        h = F.pad(h, (0, 0, 0, missing, 0, missing))
        h = h.reshape(b, n, window, n, window, c).permute(0, 1, 3, 2, 4, 5).reshape(b * n * n, window, window, c)
        h = sam_attention(part.inner("attn."), h, heads)
        h = h.reshape(b, n, n, window, window, c).permute(0, 1, 3, 2, 4, 5).reshape(b, n * window, n * window, c)
        h = h[:, :grid, :grid]
    else:
        h = sam_attention(part.inner("attn."), h, heads)
    x = x + h
    h = ACTIVATIONS["erf"](part.linear("mlp.lin1", part.norm("norm2", x, 1e-6)))
    return x + part.linear("mlp.lin2", h)


def channel_norm(part, name, x):
    """LayerNorm over the channels of [B, C, H, W]."""
    return part.norm(name, x.permute(0, 2, 3, 1), 1e-6).permute(0, 3, 1, 2)


def sam(part, rgb, heads):
    """[B, (grid / 2)², 4 * neck]: behind the neck, each 2 x 2 cell as one vector, channel 4 c + 2 dy + dx."""
    patches = embed(part, "patch_embed.proj", pixels(rgb, *IMAGENET, part.dtype))
    grid = part["pos_embed"].shape[1]
    x = patches.reshape(len(rgb), grid, grid, -1) + part["pos_embed"]
    for layer in range(part.count("blocks.")):
        x = sam_block(part.inner(f"blocks.{layer}."), x, heads)
    x = F.conv2d(x.permute(0, 3, 1, 2), part["neck.0.weight"])
    x = F.conv2d(channel_norm(part, "neck.1", x), part["neck.2.weight"], padding=1)
    x = channel_norm(part, "neck.3", x)
    b, c, _, _ = x.shape
    half = grid // 2
    x = x.reshape(b, c, half, 2, half, 2).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(b, half * half, 4 * c)
