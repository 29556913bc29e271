# Writes .pth files with a real torch, and what their tensors are as float32, for container_torch_test.ts (printed as JSON).
# Must not know the importer.
import json
import os
import sys
from collections import OrderedDict

import torch
from torch import nn

folder = sys.argv[1]
expected = {}


def save(name, value, tensors, **options):
    torch.save(value, os.path.join(folder, name), **options)
    expected[name] = {
        key: {
            "type": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "bytes": tensor.detach().contiguous().float().numpy().tobytes().hex(),
        }
        for key, tensor in tensors.items()
    }


torch.manual_seed(3)
types = {
    key: torch.randn(5, 7).to(getattr(torch, key))
    for key in ["bfloat16", "float16", "float32"]
}
types["special"] = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), 6e-8, 65504.0, 1e-40]).half()
types["tiny"] = torch.tensor([1e-40, -3.3e38, 2.0**-133]).bfloat16()
whole = {"int64": (torch.arange(12).reshape(3, 4) * 7 - 30), "position_ids": torch.arange(577)[None]}
save("ordered.pth", OrderedDict({**types, **whole}), {**types, **whole})
save("dict.pth", dict(types), types)

base = torch.randn(6, 8, 10).bfloat16()
views = {
    "whole": base,
    "transposed": base.permute(2, 0, 1),
    "slice": base[2:4, 1:7:2, 3:],
    "column": base[:, 3, 5],
    "matrix_t": torch.randn(33, 65).half().t(),
    "scalar": torch.tensor(2.5),
    "one": base[1, 1, 1:2],
    "empty": torch.zeros(0, 4),
    "singleton": base[:, :1, :].transpose(0, 1),
    "conv": torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last),
}
save("views.pth", views, views)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln = nn.LayerNorm(4)
        self.att = nn.Linear(4, 3)
        self.tied = self.att
        self.register_buffer("mask", torch.tensor([1.5, -2.0]))


module = Block()
save("module.pth", module.state_dict(), module.state_dict())
parameters = {"a": nn.Parameter(torch.randn(3)), "b": nn.Parameter(torch.randn(2, 2).bfloat16())}
save("parameters.pth", parameters, parameters)
state = {"w": torch.randn(2, 3)}
save("nested.pth", {"epoch": 3, "ema": True, "name": "x", "state_dict": state, "empty": {}}, state)
save("single.pth", state, state)
# Python puts items in by thousands; the last one stands alone.
many = OrderedDict((f"w{i}", torch.tensor(float(i))) for i in range(1001))
save("many.pth", many, many)

# Not to be read.
torch.save(state, os.path.join(folder, "legacy.pth"), _use_new_zipfile_serialization=False)
torch.save(module, os.path.join(folder, "object.pth"))
torch.save({"a": state, "b": state}, os.path.join(folder, "two.pth"))
torch.save([state["w"]], os.path.join(folder, "list.pth"))
torch.save(state["w"], os.path.join(folder, "tensor.pth"))
torch.save({"w": state["w"], "args": {"x": 1}}, os.path.join(folder, "mixed.pth"))


class Evil:
    def __reduce__(self):
        return (os.system, ("touch " + os.path.join(folder, "owned"),))


torch.save({"w": state["w"], "x": Evil()}, os.path.join(folder, "evil.pth"))
for kind in ["complex64", "float64", "int32", "int16", "int8", "uint8", "bool"]:
    torch.save({"w": torch.zeros(2, dtype=getattr(torch, kind))}, os.path.join(folder, f"{kind}.pth"))
for protocol in [3, 4, 5]:
    torch.save(state, os.path.join(folder, f"protocol{protocol}.pth"), pickle_protocol=protocol)
torch.save({"lr": 1e-4, "state_dict": state}, os.path.join(folder, "float.pth"))
torch.save({"best": None, "state_dict": state}, os.path.join(folder, "none.pth"))
print(json.dumps(expected))
