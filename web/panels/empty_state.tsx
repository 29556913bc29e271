// What is shown when no stream is chosen, and on the very first visit.
import { AddButtons } from "./add_buttons.tsx";
import { Banners } from "./banners.tsx";
import { CameraOptions } from "./camera_options.tsx";

export function EmptyState({ any }: { any: boolean }) {
  if (any) {
    return (
      <div class="blank">
        <Banners />
        <h1>Choose a stream</h1>
        <p>Its picture, captions, answers and memory are shown here.</p>
      </div>
    );
  }
  return (
    <div class="blank">
      <Banners />
      <h1>Nothing to watch yet</h1>
      <p>
        Give Gander a camera or a stream. It says what happens and answers questions about any moment since it
        began to watch, from a memory of constant size.
      </p>
      <AddButtons />
      <details>
        <summary>Camera options</summary>
        <CameraOptions />
      </details>
      <p class="hint">
        No camera at hand? Add the address <code>testsrc:</code> for a moving test pattern.
      </p>
    </div>
  );
}
