// Beats at a steady pace, also while the page is hidden. Knows nothing of what is done on a beat.

/** Calls `beat` every period; returns the way to stop. */
export function startPacer(period_ms: number, beat: () => void): () => void {
  const worker = new Worker(new URL("./pacer_worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = beat;
  worker.postMessage(period_ms);
  return () => worker.terminate();
}
