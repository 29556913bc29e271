// The six stages of a stream with what passed and what was lost on every arrow between them.
import type { StreamView } from "../../src/wire/mod.ts";
import { feed, model, now_ms, state } from "../edge.ts";
import { type FlowLoss, flowOf, uncounted } from "../flow_numbers.ts";
import { countText } from "../time_text.ts";

/** How long an arrow stays lit after a report of drops. */
const lit_ms = 2_000;

export function Flow({ stream }: { stream: StreamView }) {
  const stages = flowOf(stream.stats, {
    vectors_per_frame: model.value?.vectors_per_frame,
    viewer_skipped: state.value.viewer_skipped,
    refreshed: stream.refresh !== null,
  });
  const lit = now_ms.value - (feed.value.dropped_at_ms ?? 0) < lit_ms;
  const { frames_offered, frames_fed, drops } = stream.stats;
  return (
    <div class="flow-frame">
      <ol class="flow" data-lit={lit || undefined}>
        {stages.map((stage) => (
          <li key={stage.name}>
            <div class="stage">
              <h3>{stage.name}</h3>
              <b>{countText(stage.count)}</b>
              <span>{stage.unit}</span>
              {stage.note && <small>{stage.note}</small>}
            </div>
            {stage.losses && <Arrow losses={stage.losses} />}
          </li>
        ))}
      </ol>
      <p class="hint">
        {countText(frames_offered)} offered = {countText(frames_fed)} fed + {countText(drops.mailbox)}{" "}
        replaced + {countText(drops.still)} still + {countText(drops.failed)} failed +{" "}
        {countText(uncounted(stream.stats))} waiting
      </p>
    </div>
  );
}

function Arrow({ losses }: { losses: readonly FlowLoss[] }) {
  const some = losses.filter((loss) => loss.count > 0);
  return (
    <div class="arrow">
      <span class="arrow-line" aria-hidden="true" />
      {some.length === 0
        ? <span class="none">none lost</span>
        : some.map((loss) => (
          <span key={loss.why} class="lost">
            −{countText(loss.count)} <small>{loss.why}</small>
          </span>
        ))}
    </div>
  );
}
