// The newest picture with the newest words on it, and the truth over it when it is not live.
import { useEffect, useRef, useState } from "preact/hooks";
import type { StreamView } from "../../src/wire/mod.ts";
import { sending, useCamera } from "../camera/camera.ts";
import { feed, listenPictures, now_ms } from "../edge.ts";
import { streamStatus } from "../status_words.ts";
import { relativeTime } from "../time_text.ts";
import { Icon } from "./icon.tsx";

export function LivePicture({ stream }: { stream: StreamView }) {
  const frame = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => drawPictures(stream.id, canvas.current!, () => setSeen(true)), [stream.id]);
  const toggle = () =>
    document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen?.();
  return (
    <section class="picture" ref={frame} aria-label="Live picture" onDblClick={toggle}>
      <canvas ref={canvas} width={16} height={9} role="img" aria-label={`Newest picture of ${stream.name}`} />
      <Veil stream={stream} seen={seen} />
      <WordsOver />
      <button
        type="button"
        class="button icon-only over"
        onClick={toggle}
        aria-label="Full screen"
        title="Full screen"
      >
        <Icon name="expand" />
      </button>
    </section>
  );
}

/** Newest wins: while one picture is decoded, later ones replace each other. */
function drawPictures(stream: string, canvas: HTMLCanvasElement, onFirst: () => void): () => void {
  const context = canvas.getContext("2d", { alpha: false });
  let waiting: Blob | undefined;
  let busy = false;
  let left = false;
  const draw = async () => {
    busy = true;
    while (waiting && !left) {
      const blob = waiting;
      waiting = undefined;
      const bitmap = await createImageBitmap(blob).catch(() => undefined); // damaged: the next one comes soon
      if (!bitmap || left) continue;
      if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
      if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
      context?.drawImage(bitmap, 0, 0);
      bitmap.close();
      onFirst();
    }
    busy = false;
  };
  const unlisten = listenPictures((picture) => {
    if (picture.stream !== stream) return;
    waiting = new Blob([picture.jpeg as Uint8Array<ArrayBuffer>], { type: "image/jpeg" });
    if (!busy) void draw();
  });
  return () => {
    left = true;
    unlisten();
  };
}

function Veil({ stream, seen }: { stream: StreamView; seen: boolean }) {
  const { word, tone } = streamStatus(stream);
  if (stream.status === "live" && !stream.paused) {
    return seen ? null : <p class="veil light">Waiting for the first picture</p>;
  }
  const here = sending.value?.stream === stream.id;
  const wants_camera = stream.source.kind === "push" && !stream.paused && !here;
  return (
    <div class="veil">
      <p class="veil-word">
        <span class={`dot ${tone}`} aria-hidden="true" /> {word}
      </p>
      {stream.reason !== "" && !stream.paused && <p>{stream.reason}</p>}
      {wants_camera && (
        <button type="button" class="button primary" onClick={() => void useCamera(stream)}>
          <Icon name="camera" />
          Send this camera here
        </button>
      )}
    </div>
  );
}

/** Hidden from screen readers: the feed reads the same words. */
function WordsOver() {
  const { speaking, captions } = feed.value;
  const newest = captions.at(-1);
  if (!speaking && !newest) return null;
  return (
    <p class="words-over" data-speaking={speaking ? true : undefined} aria-hidden="true">
      <span>{speaking?.text ?? newest?.text}</span>
      {!speaking && newest && <small>{relativeTime(Date.parse(newest.t_wall), now_ms.value)}</small>}
    </p>
  );
}
