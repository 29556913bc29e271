# Random RWKV models as GGUF for llama.cpp, and the same numbers as safetensors for our engine.
#   python3 llama_cases.py FOLDER     prints [{name, gguf, safetensors, version, type, tokens}]
import json
import os
import sys
import numpy
import rwkv_shapes
from gguf_file import write_gguf
from other_names import to_gguf
from rwkv_cases import as_read
from weight_files import fill, write_safetensors

# version, width, layers, vocab, ranks, type, rescale_every_n_layers
MODELS = [
    (7, 128, 3, 512, (16, 32, 16, 48), "f32", 0),
    (7, 256, 4, 1024, (32, 64, 32, 96), "f16", 0),
    (7, 128, 2, 512, (16, 32, 16, 48), "q8_0", 0),
    (6, 128, 3, 512, (32, 64), "f32", 0),
    (6, 256, 4, 1024, (32, 64), "f16", 2),
]
TOKENS = 48


def main(folder):
    cases = []
    for seed, (version, width, layers, vocab, ranks, kind, rescale) in enumerate(MODELS):
        tensors = fill(rwkv_shapes.rwkv(version, width, layers, vocab, ranks), seed + 20, "f32")
        stem = os.path.join(folder, f"rwkv{version}-{kind}")
        read = write_gguf(stem + ".gguf", to_gguf(tensors, rescale), kind, rescale)
        write_safetensors(stem + ".safetensors", as_read(tensors, read, rescale))
        tokens = numpy.random.default_rng(seed).integers(1, vocab, TOKENS).tolist()
        cases.append({"name": f"RWKV-{version} {kind}", "gguf": stem + ".gguf", "safetensors": stem + ".safetensors",
                      "version": version, "type": kind, "tokens": tokens})
    print(json.dumps(cases))


if __name__ == "__main__":
    main(sys.argv[1])
