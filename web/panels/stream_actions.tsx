// Pause, edit, delete: the same three for a stream wherever it is shown.
import type { StreamView } from "../../src/wire/mod.ts";
import { pauseStream } from "../actions.ts";
import { delete_asked, stream_form } from "./dialogs.ts";
import { Icon } from "./icon.tsx";

export function StreamActions({ stream }: { stream: StreamView }) {
  const verb = stream.paused ? "Resume" : "Pause";
  return (
    <div class="stream-actions">
      <button
        type="button"
        class="button quiet icon-only"
        title={verb}
        aria-label={`${verb} ${stream.name}`}
        onClick={() => pauseStream(stream)}
      >
        <Icon name={stream.paused ? "play" : "pause"} />
      </button>
      <button
        type="button"
        class="button quiet icon-only"
        title="Edit"
        aria-label={`Edit ${stream.name}`}
        onClick={() => stream_form.value = stream}
      >
        <Icon name="pencil" />
      </button>
      <button
        type="button"
        class="button quiet icon-only"
        title="Delete"
        aria-label={`Delete ${stream.name}`}
        onClick={() => delete_asked.value = stream}
      >
        <Icon name="trash" />
      </button>
    </div>
  );
}
