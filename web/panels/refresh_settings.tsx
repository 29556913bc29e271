// What a stream may change where the model is asked about one picture after the other, folded away with the rest.
import { wire_limits } from "../../src/wire/mod.ts";
import type { StreamFields } from "../stream_fields.ts";

export interface RefreshSettingsProps {
  fields: StreamFields;
  put(change: Partial<StreamFields>): void;
}

export function RefreshSettings({ fields, put }: RefreshSettingsProps) {
  const { cadence_s_min, refresh_s_min, refresh_s_max, instruction_chars_max } = wire_limits;
  return (
    <>
      <label class="field">
        <span>Asked of each picture</span>
        <input
          maxLength={instruction_chars_max}
          placeholder="as the model wants; {summary} and {language} are filled in"
          value={fields.instruction}
          onInput={(event) => put({ instruction: event.currentTarget.value })}
        />
      </label>
      <div class="field-row">
        <label class="field">
          <span>Language of the captions</span>
          <input
            placeholder="as the model wants: en, de, zh"
            spellcheck={false}
            autocapitalize="off"
            value={fields.language}
            onInput={(event) => put({ language: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>A caption at most every (seconds)</span>
          <input
            type="number"
            inputMode="decimal"
            min={cadence_s_min}
            max={refresh_s_max}
            step="any"
            placeholder="as the model wants"
            value={fields.cadence_s}
            onInput={(event) => put({ cadence_s: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>A still picture every (seconds)</span>
          <input
            type="number"
            inputMode="decimal"
            min={refresh_s_min}
            max={refresh_s_max}
            step="any"
            placeholder="as the model wants"
            value={fields.every_s}
            onInput={(event) => put({ every_s: event.currentTarget.value })}
          />
        </label>
      </div>
    </>
  );
}
