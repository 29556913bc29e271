// Short messages over the page: errors are alerts, notes are polite.
import { dismissToast, toasts } from "../toasts.ts";
import { Icon } from "./icon.tsx";

export function Toasts() {
  return (
    <div class="toasts">
      {toasts.value.map(({ id, kind, text }) => (
        <div key={id} class={`toast ${kind}`} role={kind === "error" ? "alert" : "status"}>
          <p>{text}</p>
          <button
            type="button"
            class="button quiet icon-only"
            aria-label="Dismiss"
            onClick={() =>
              dismissToast(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
