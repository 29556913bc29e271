// Asks before a stream is deleted: its memory cannot be brought back.
import { removeStream } from "../actions.ts";
import { countText, durationText } from "../time_text.ts";
import { Dialog } from "./dialog.tsx";
import { delete_asked } from "./dialogs.ts";

export function DeleteDialog() {
  const stream = delete_asked.value;
  if (!stream) return null;
  const close = () => delete_asked.value = undefined;
  const remove = () => {
    close();
    void removeStream(stream);
  };
  return (
    <Dialog title={`Delete "${stream.name}"?`} onClose={close}>
      <p>
        Its {countText(stream.last_seq)} captions, its snapshots and its memory of{" "}
        {durationText(stream.stats.memory_age_ms)} are deleted too. This cannot be undone. Pause keeps them.
      </p>
      <div class="form-foot">
        <button type="button" class="button" autofocus onClick={close}>Keep it</button>
        <button type="button" class="button danger" onClick={remove}>Delete</button>
      </div>
    </Dialog>
  );
}
