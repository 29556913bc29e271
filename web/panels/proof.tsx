// The numbers behind the claims: when it speaks, how late it is, that its memory does not grow, what was dropped.
import type { ComponentChildren } from "preact";
import type { StreamView } from "../../src/wire/mod.ts";
import { feed } from "../edge.ts";
import { bytesText, countText, durationText, latencyText } from "../time_text.ts";
import { Flow } from "./flow.tsx";
import { Sparkline } from "./sparkline.tsx";

/** Samples in a sparkline: the last two minutes. */
const recent = 120;

export function Proof({ stream }: { stream: StreamView }) {
  const { stats } = stream;
  const samples = feed.value.samples.slice(-recent);
  const sizes = new Set(feed.value.samples.map((sample) => sample.state_bytes));
  const tick_ms = 1000 / stream.tick_rate_hz;
  const load = stats.step_p95_ms === null ? undefined : stats.step_p95_ms / tick_ms;
  return (
    <section class="panel proof" aria-labelledby="proof-title">
      <header class="panel-head">
        <h2 id="proof-title">Proof</h2>
        <span class="hint">measured on this stream, once a second</span>
      </header>
      <div class="tiles">
        {stream.refresh
          ? <RefreshTile refresh={stream.refresh} ticks={stats.ticks} />
          : (
            <Tile name="P(speak)" value={stats.p_speak === null ? "–" : stats.p_speak.toFixed(2)}>
              <Sparkline
                values={samples.map((sample) => sample.p_speak)}
                top={1}
                threshold={stats.speak_threshold}
              />
              <p>It speaks from {stats.speak_threshold.toFixed(2)} on</p>
            </Tile>
          )}
        <Tile name="State" value={bytesText(stats.state_bytes)}>
          <Sparkline
            values={feed.value.samples.map((sample) => sample.state_bytes)}
            top={stats.state_bytes * 2}
          />
          <p>
            {sizes.size > 1 ? "It changed while you watched" : "The same"} after{" "}
            {durationText(stats.memory_age_ms)} {stream.refresh ? "of watching" : "of memory"}
          </p>
        </Tile>
        <Tile name="Caption age" value={latencyText(stats.caption_age_p50_ms)}>
          <Sparkline values={samples.map((sample) => sample.caption_age_p50_ms)} />
          <p>p95 {latencyText(stats.caption_age_p95_ms)}, frame to last word</p>
        </Tile>
        <Tile name="Tick time" value={latencyText(stats.step_p50_ms)}>
          <Sparkline values={samples.map((sample) => sample.step_p50_ms)} />
          <p>
            p95 {latencyText(stats.step_p95_ms)}
            {load !== undefined && `, ${Math.round(load * 100)} % of a tick`}
          </p>
        </Tile>
        <dl class="tile facts">
          <Fact name="Memory age" value={durationText(stats.memory_age_ms)} />
          <Fact name="Snapshots" value={countText(stats.snapshots)} />
          <Fact name="Questions now" value={countText(stats.questions_active)} />
          <Fact name="Viewers" value={countText(stats.viewers)} />
        </dl>
      </div>
      <Flow stream={stream} />
    </section>
  );
}

/** Such a model has no silence to choose: there is no P(speak) to show. */
function RefreshTile({ refresh, ticks }: { refresh: NonNullable<StreamView["refresh"]>; ticks: number }) {
  const { cadence_s, every_s, change_min } = refresh;
  return (
    <Tile name="Pictures asked about" value={countText(ticks)}>
      <p>
        When {Number((change_min * 100).toFixed(1))} % changed, every {cadence_s} s at most; a still one every
        {" "}
        {Math.max(every_s, cadence_s)} s
      </p>
      <p>Each with a summary of the newest captions, in a state made anew</p>
    </Tile>
  );
}

function Tile({ name, value, children }: { name: string; value: string; children: ComponentChildren }) {
  return (
    <div class="tile">
      <h3>{name}</h3>
      <b class="tile-value">{value}</b>
      {children}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
