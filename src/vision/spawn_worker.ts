// How the vision worker is started. Must not know what it is asked.

export function spawnWorker(): Worker {
  keepQuiet();
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "vision" });
}

/**
 * ONNX Runtime 1.30 reports its use to its maker, and writes log files of that, unless this variable is set before it
 * is loaded. What a camera's owner runs is nobody's business.
 */
function keepQuiet(): void {
  try {
    Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
  } catch (error) {
    // Without permission for the environment whoever started us has to set it, as the launcher does.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
