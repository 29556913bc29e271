// The settings of a stream that most people never touch, folded away.
import { wire_limits } from "../../src/wire/mod.ts";
import type { StreamFields } from "../stream_fields.ts";
import { canLoop, kindOf } from "../stream_fields.ts";
import { RefreshSettings } from "./refresh_settings.tsx";

export interface StreamSettingsProps {
  fields: StreamFields;
  pulled: boolean;
  /** The model is asked about single pictures: it does not decide when to speak. */
  refreshed: boolean;
  put(change: Partial<StreamFields>): void;
}

export function StreamSettings({ fields, pulled, refreshed, put }: StreamSettingsProps) {
  const kind = kindOf(fields.url);
  return (
    <>
      {pulled && kind === "rtsp" && (
        <label class="field">
          <span>Transport</span>
          <select
            value={fields.transport}
            onChange={(event) => put({ transport: event.currentTarget.value as StreamFields["transport"] })}
          >
            <option value="tcp">TCP (safe)</option>
            <option value="udp">UDP (a little sooner, may lose pictures)</option>
          </select>
        </label>
      )}
      {pulled && canLoop(kind) && (
        <label class="check">
          <input
            type="checkbox"
            checked={fields.loop}
            onChange={(event) => put({ loop: event.currentTarget.checked })}
          />
          <span>Start the recording again at its end</span>
        </label>
      )}
      <details class="more">
        <summary>More settings</summary>
        {refreshed && <RefreshSettings fields={fields} put={put} />}
        <div class="field-row">
          <label class="field">
            <span>Ticks per second</span>
            <input
              type="number"
              inputMode="decimal"
              min={wire_limits.tick_rate_hz_min}
              max={wire_limits.tick_rate_hz_max}
              step="any"
              placeholder="as the model wants"
              value={fields.tick_rate_hz}
              onInput={(event) => put({ tick_rate_hz: event.currentTarget.value })}
            />
          </label>
          {!refreshed && (
            <label class="field">
              <span>Speaks from P(speak)</span>
              <input
                type="number"
                inputMode="decimal"
                min={0}
                max={1}
                step="any"
                placeholder="as the model wants"
                value={fields.speak_threshold}
                onInput={(event) => put({ speak_threshold: event.currentTarget.value })}
              />
            </label>
          )}
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={fields.gate_change}
            onChange={(event) => put({ gate_change: event.currentTarget.checked })}
          />
          <span>Skip pictures in which nothing moved</span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={fields.gate_novelty}
            onChange={(event) => put({ gate_novelty: event.currentTarget.checked })}
          />
          <span>Hold back captions that repeat a recent one</span>
        </label>
      </details>
    </>
  );
}
