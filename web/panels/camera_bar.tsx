// The strip that is there while this browser's camera is sending, or after it could not.
import { camera_problem, sending, stopCamera, useCamera } from "../camera/camera.ts";
import { now_ms } from "../edge.ts";
import { countText } from "../time_text.ts";
import { CameraOptions } from "./camera_options.tsx";
import { Icon } from "./icon.tsx";

export function CameraBar() {
  if (camera_problem.value) return <CameraTrouble />;
  const camera = sending.value;
  if (!camera) return null;
  const { link } = camera;
  const busy = link.kind !== "open";
  return (
    <section class="camera-bar" aria-label="Camera of this browser">
      <span class={`dot ${busy ? "busy" : "good"}`} aria-hidden="true" />
      <p class="camera-words">
        {busy ? linkWords(link, now_ms.value) : "Sending this camera to"}{" "}
        <a href={`#/stream/${camera.stream}`}>{camera.name}</a>
        <span class="numbers">
          {camera.rate_hz} pictures/s · {countText(camera.sent_count)} sent
          {camera.dropped_count > 0 && ` · ${countText(camera.dropped_count)} dropped here`}
        </span>
      </p>
      <CameraOptions />
      <button type="button" class="button danger" onClick={stopCamera}>
        <Icon name="stop" />
        Stop
      </button>
    </section>
  );
}

function linkWords(link: NonNullable<typeof sending.value>["link"], at_ms: number): string {
  if (link.kind !== "waiting") return "Connecting this camera to";
  const wait_s = Math.max(0, Math.ceil((link.retry_at_ms - at_ms) / 1000));
  return `${link.reason}. Sending again in ${wait_s} s to`;
}

function CameraTrouble() {
  const { title, advice } = camera_problem.value!;
  return (
    <section class="camera-bar bad" role="alert">
      <p class="camera-words">
        <b>{title}.</b> {advice}
      </p>
      <button type="button" class="button" onClick={() => void useCamera()}>Try again</button>
      <button
        type="button"
        class="button quiet icon-only"
        aria-label="Dismiss"
        onClick={() => camera_problem.value = undefined}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}
