// Says what a file is by its first bytes, and opens it as that. Knows the kinds that people try and that are not read,
// so that the refusal can say what to do. Must not know paths.
import type { ByteSource } from "./byte_source.ts";
import type { Container } from "./container.ts";
import { readGguf } from "./gguf_file.ts";
import { importError } from "./import_error.ts";
import { readSafetensors } from "./safetensors_file.ts";
import { readTorch } from "./torch_file.ts";

const torch_again = 'open it once with torch.load and torch.save(state, "new.pth")';

/** Beginnings as Latin-1 text, and the reason why such a file is refused. */
const foreign: readonly (readonly [string, string])[] = [
  // PROTO 2, LONG1 of ten bytes, torch's magic number 0x1950a86a20f9469cfc6c.
  [
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
    `it is in torch's format from before 1.6; ${torch_again}`,
  ],
  ["\x80", `it is a bare pickle; ${torch_again}`],
  ["version https://git-lfs", "it is a Git LFS pointer, not the file itself; download the file"],
  ["<", "it is a web page, probably an error page in place of the file; download it again"],
  ["ggml", "it is a ggml file from before GGUF; convert it with llama.cpp's scripts"],
  ["lmgg", "it is a ggml file from before GGUF; convert it with llama.cpp's scripts"],
  ["fmgg", "it is a ggml file from before GGUF; convert it with llama.cpp's scripts"],
  ["\x89HDF", "it is an HDF5 file; save the weights as safetensors"],
  ["\x93NUMPY", "it is a NumPy array; save the weights as safetensors"],
  ["\x1f\x8b", "it is compressed; unpack it first"],
];

/** Throws ImportError: also when the file is none of the three containers. */
export async function readContainer(source: ByteSource): Promise<Container> {
  const bytes = await source.read(0, Math.min(32, source.size));
  const head = String.fromCharCode(...bytes);
  if (head.startsWith("PK\x03\x04")) return readTorch(source);
  if (head.startsWith("GGUF")) return readGguf(source);
  if (/^[^]{8}\s*\{/.test(head)) return readSafetensors(source);
  const known = foreign.find(([start]) => head.startsWith(start));
  const reason = known?.[1] ??
    (source.size === 0 ? "it is empty" : "it is neither a torch archive nor safetensors nor GGUF");
  throw importError("import_refused", source.path, reason);
}
