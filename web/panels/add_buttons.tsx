// The two first actions: this browser's camera, or an address.
import { camera_asking, sending, useCamera } from "../camera/camera.ts";
import { stream_form } from "./dialogs.ts";
import { Icon } from "./icon.tsx";

export function AddButtons() {
  return (
    <div class="add-buttons">
      <button
        type="button"
        class="button primary"
        disabled={camera_asking.value || sending.value !== undefined}
        onClick={() => void useCamera()}
      >
        <Icon name="camera" />
        {camera_asking.value ? "Allow the camera…" : "Use this camera"}
      </button>
      <button type="button" class="button" onClick={() => stream_form.value = "new"}>
        <Icon name="plus" />
        Add a stream
      </button>
    </div>
  );
}
