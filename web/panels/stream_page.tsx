// One stream: picture, timeline, captions, questions, proof. Lays them out; knows nothing of their insides.
import { useEffect } from "preact/hooks";
import type { StreamView } from "../../src/wire/mod.ts";
import { loadHistory, loadSnapshots } from "../actions.ts";
import { now_ms } from "../edge.ts";
import { statusLine, streamStatus } from "../status_words.ts";
import { AskBox } from "./ask_box.tsx";
import { Banners } from "./banners.tsx";
import { CaptionFeed } from "./caption_feed.tsx";
import { LivePicture } from "./live_picture.tsx";
import { Proof } from "./proof.tsx";
import { StreamActions } from "./stream_actions.tsx";
import { Timeline } from "./timeline.tsx";

const snapshots_every_ms = 10_000;

export function StreamPage({ stream }: { stream: StreamView }) {
  useEffect(() => {
    void loadHistory(stream.id);
    void loadSnapshots(stream.id);
    const timer = setInterval(() => document.hidden || void loadSnapshots(stream.id), snapshots_every_ms);
    return () => clearInterval(timer);
  }, [stream.id]);
  return (
    <div class="stream-page">
      <Banners />
      <StreamHead stream={stream} />
      <div class="stream-grid">
        <div class="watch-column">
          <LivePicture stream={stream} />
          <Timeline stream={stream} />
        </div>
        <div class="talk-column">
          <CaptionFeed stream={stream} />
          <AskBox stream={stream} />
        </div>
      </div>
      <Proof stream={stream} />
    </div>
  );
}

function StreamHead({ stream }: { stream: StreamView }) {
  const { tone } = streamStatus(stream);
  const address = stream.source.kind === "pull" ? stream.source.url : "pushed by a camera";
  return (
    <header class="stream-head">
      <div>
        <h1>{stream.name}</h1>
        <p>
          <span class={`stream-status ${tone}`}>
            <span class={`dot ${tone}`} aria-hidden="true" /> {statusLine(stream, now_ms.value)}
          </span>
          <code title={address}>{address}</code>
          <span>{stream.tick_rate_hz} ticks/s</span>
        </p>
      </div>
      <StreamActions stream={stream} />
    </header>
  );
}
