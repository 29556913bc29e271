// The key-values of a GGUF file. Short ones are read at opening; long arrays (a vocabulary) stay in the file.
// Must not know which keys there are.
import type { ByteSource } from "./byte_source.ts";
import { GgufCursor, scalar_bytes, type ScalarType } from "./gguf_cursor.ts";
import { importError } from "./import_error.ts";
import { import_limits } from "./limits.ts";

export type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | GgufScalar[] | GgufArray;

/** By the number that stands in the file. */
const value_types: readonly (ScalarType | "text" | "array")[] = [
  ...["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool"] as const,
  ...["text", "array", "u64", "i64", "f64"] as const,
];

/** An array that is still in the file. Readable until the checkpoint is closed. */
export class GgufArray {
  constructor(
    private readonly source: ByteSource,
    private readonly offset: number,
    readonly type: ScalarType | "text",
    readonly length: number,
  ) {}

  /** All elements. Throws ImportError when there are more than the bound, or the file is damaged. */
  async read(): Promise<GgufScalar[]> {
    if (this.length > import_limits.gguf_array_elements_max) {
      throw importError(
        "import_refused",
        this.source.path,
        `its header has an array of ${this.length} elements`,
      );
    }
    const cursor = new GgufCursor(this.source, this.offset);
    const elements: GgufScalar[] = [];
    while (elements.length < this.length) elements.push(await readScalar(cursor, this.type));
    return elements;
  }
}

/** The type and the value after a key. */
export async function readValue(cursor: GgufCursor): Promise<GgufValue> {
  const type = await readType(cursor);
  if (type !== "array") return await readScalar(cursor, type);
  const element_type = await readType(cursor);
  if (element_type === "array") {
    throw importError("import_refused", cursor.source.path, "its header has arrays of arrays");
  }
  const array = new GgufArray(cursor.source, cursor.at + 8, element_type, await cursor.count());
  if (array.length <= import_limits.gguf_eager_elements_max) {
    const elements: GgufScalar[] = [];
    while (elements.length < array.length) elements.push(await readScalar(cursor, element_type));
    return elements;
  }
  if (element_type !== "text") cursor.skip(array.length * scalar_bytes[element_type]);
  // Each text takes eight bytes of the file at least, so a lie about their number ends with the file.
  else for (let i = 0; i < array.length; i++) await cursor.skipText();
  return array;
}

async function readType(cursor: GgufCursor): Promise<ScalarType | "text" | "array"> {
  const number = await cursor.u32();
  const type = value_types[number];
  if (!type) {
    throw importError(
      "import_damaged",
      cursor.source.path,
      `its header has the unknown value type ${number}`,
    );
  }
  return type;
}

function readScalar(cursor: GgufCursor, type: ScalarType | "text"): Promise<GgufScalar> {
  return type === "text" ? cursor.text() : cursor.scalar(type);
}
