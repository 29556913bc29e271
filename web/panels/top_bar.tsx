// The bar on top: name, way back on a phone, model, connection, theme.
import { connection, model, now_ms, phase, route, state } from "../edge.ts";
import { phaseWords } from "../status_words.ts";
import { nextTheme, type Theme, theme } from "../theme.ts";
import { Icon, type IconName } from "./icon.tsx";

const theme_icons: Record<Theme, IconName> = { system: "half", light: "sun", dark: "moon" };

export function TopBar() {
  return (
    <header class="top-bar">
      {route.value.stream && (
        <a class="button quiet back" href="#/">
          <Icon name="back" />
          <span>Streams</span>
        </a>
      )}
      <a class="brand" href="#/">
        <img src="./icon.svg" alt="" width="22" height="22" />
        <span>Gander</span>
      </a>
      <ModelChip />
      <ConnectionState />
      <button
        type="button"
        class="button quiet icon-only"
        onClick={nextTheme}
        aria-label={`Colours: ${theme.value}. Change`}
        title={`Colours: ${theme.value}`}
      >
        <Icon name={theme_icons[theme.value]} />
      </button>
    </header>
  );
}

function ModelChip() {
  const view = model.value;
  if (!view) return <span class="model-chip" />;
  const title = `RWKV-${view.rwkv_version}, ${view.layers} layers of ${view.width}, ` +
    `${view.vectors_per_frame} vectors per frame. Server ${state.value.version}.`;
  return (
    <span class="model-chip" title={title}>
      <b>{view.name}</b> <span>on {view.device}</span>
    </span>
  );
}

function ConnectionState() {
  const { word, tone } = phaseWords(phase.value, now_ms.value);
  const reason = "reason" in phase.value ? phase.value.reason : "";
  const closed = phase.value.kind === "closed";
  return (
    <div class="connection">
      {/* Only the change of the connection is announced, not every second of the countdown. */}
      <span class="visually-hidden" role="status">{phase.value.kind === "open" ? "Connected" : reason}</span>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="connection-word" title={reason}>{word}</span>
      {(phase.value.kind === "waiting" || closed) && (
        <button
          type="button"
          class="button small"
          onClick={() => closed ? location.reload() : connection.connect()}
        >
          {closed ? "Reload" : "Try now"}
        </button>
      )}
    </div>
  );
}
