// What must be known about the model before its words are believed.
import { model } from "../edge.ts";

export function Banners() {
  const view = model.value;
  if (!view) return null;
  if (view.fake) {
    return (
      <p class="banner warn" role="note">
        <b>Fake engine.</b>{" "}
        The captions are made up, for tests and for work on this page. No model is looking.
      </p>
    );
  }
  if (!view.trained) {
    return (
      <p class="banner warn" role="note">
        <b>Untrained model: captions are noise.</b> {view.limits_note}
      </p>
    );
  }
  if (view.limits_note === "") return null;
  return <p class="banner" role="note">{view.limits_note}</p>;
}
