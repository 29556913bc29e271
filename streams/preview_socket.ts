// The unix socket that a decoder sends its previews to. Lives in a directory that only this user can enter.
// Must not know the decoder or who looks at the pictures.
import { MpjpegParts } from "./mpjpeg.ts";

export interface PreviewSocket extends AsyncDisposable {
  readonly path: string;
}

class Listener implements PreviewSocket {
  readonly #listener: Deno.UnixListener;
  readonly #work: Promise<void>;
  #connection: Deno.Conn | undefined;

  constructor(readonly path: string, readonly directory: string, onPreview: (jpeg: Uint8Array) => void) {
    this.#listener = Deno.listen({ transport: "unix", path });
    // A decoder that breaks off is ordinary; what it was doing is reported by whoever started it.
    this.#work = this.#serve(onPreview).catch(() => {});
  }

  async #serve(onPreview: (jpeg: Uint8Array) => void) {
    const connection = await this.#listener.accept();
    this.#connection = connection;
    try {
      // The name has done its work. Gone now, it cannot be left behind by a service that is killed.
      await Deno.remove(this.directory, { recursive: true });
      const parts = new MpjpegParts();
      const buffer = new Uint8Array(64 * 1024);
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) return;
        for (const jpeg of parts.push(buffer.subarray(0, count))) onPreview(jpeg);
      }
    } finally {
      connection.close();
      this.#connection = undefined;
    }
  }

  async [Symbol.asyncDispose]() {
    this.#listener.close();
    try {
      this.#connection?.close();
    } catch { /* it ended by itself in the same moment */ }
    await this.#work;
    // Already gone when the decoder came.
    await Deno.remove(this.directory, { recursive: true }).catch(() => {});
  }
}

/** Listens for one decoder. Dispose it after the decoder is gone. */
export async function openPreviewSocket(
  temp_directory: string | undefined,
  onPreview: (jpeg: Uint8Array) => void,
): Promise<PreviewSocket> {
  // 0700 by contract of makeTempDir. The short names keep the path under the 107 bytes a socket address holds.
  const directory = await Deno.makeTempDir({ dir: temp_directory, prefix: "gdr-" });
  try {
    return new Listener(`${directory}/p`, directory, onPreview);
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
}
