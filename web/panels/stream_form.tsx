// Adds a stream by its address, or edits one. Tests an address before it is saved.
import { useEffect, useRef, useState } from "preact/hooks";
import { type StreamView, wire_limits } from "../../src/wire/mod.ts";
import { addStream, changeStream } from "../actions.ts";
import { api } from "../api.ts";
import { model, session } from "../edge.ts";
import {
  examples,
  firstProblem,
  formOf,
  hidesSecret,
  patchOf,
  sourceOf,
  specOf,
  type StreamFields,
} from "../stream_fields.ts";
import { probeWords } from "../status_words.ts";
import { errorText } from "../toasts.ts";
import { Dialog } from "./dialog.tsx";
import { stream_form } from "./dialogs.ts";
import { StreamSettings } from "./stream_settings.tsx";

export function StreamForm() {
  const edited = stream_form.value;
  if (edited === undefined) return null;
  return <Form stream={edited === "new" ? undefined : edited} />;
}

type Verdict = { kind: "good" | "bad" | "busy"; text: string };

function Form({ stream }: { stream: StreamView | undefined }) {
  const [fields, setFields] = useState(formOf(stream));
  const [verdict, setVerdict] = useState<Verdict>();
  const [saving, setSaving] = useState(false);
  const probing = useRef<AbortController>(undefined);
  useEffect(() => () => probing.current?.abort(), []);
  const put = (change: Partial<StreamFields>) => {
    setFields({ ...fields, ...change });
    if ("url" in change || "transport" in change) {
      probing.current?.abort();
      setVerdict(undefined);
    }
  };
  const close = () => stream_form.value = undefined;
  const fail = (error: unknown) => {
    if ((error as { status?: number }).status === 401) session.value = { required: true, signed_in: false };
    setVerdict({ kind: "bad", text: errorText(error) });
  };
  const test = async () => {
    probing.current?.abort();
    const { signal } = probing.current = new AbortController();
    setVerdict({ kind: "busy", text: "Opening the address…" });
    try {
      const probe = await api.probe(sourceOf(fields), signal);
      if (!signal.aborted) setVerdict({ kind: probe.ok ? "good" : "bad", text: probeWords(probe) });
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const problem = firstProblem(fields, stream);
    if (problem) return setVerdict({ kind: "bad", text: problem });
    setSaving(true);
    try {
      await (stream ? changeStream(stream.id, patchOf(fields, stream)) : addStream(specOf(fields)));
      close();
    } catch (error) {
      fail(error);
      setSaving(false);
    }
  };
  const pulled = stream?.source.kind !== "push";
  return (
    <Dialog title={stream ? `Edit "${stream.name}"` : "Add a stream"} onClose={close}>
      <form class="stream-form" onSubmit={save} noValidate>
        {pulled && <AddressField fields={fields} stream={stream} put={put} />}
        <label class="field">
          <span>Name</span>
          <input
            value={fields.name}
            maxLength={wire_limits.name_chars_max}
            placeholder="Front door"
            autocomplete="off"
            onInput={(event) => put({ name: event.currentTarget.value })}
          />
        </label>
        <StreamSettings
          {...{ fields, put, pulled }}
          refreshed={stream ? stream.refresh !== null : model.value?.policy === "refresh"}
        />
        <p class={`verdict ${verdict?.kind ?? ""}`} role={verdict?.kind === "bad" ? "alert" : "status"}>
          {verdict?.text}
        </p>
        <div class="form-foot">
          {pulled && (
            <button
              type="button"
              class="button"
              disabled={fields.url.trim() === "" || hidesSecret(fields) || verdict?.kind === "busy"}
              onClick={() => void test()}
            >
              Test
            </button>
          )}
          <button type="button" class="button quiet push-right" onClick={close}>Cancel</button>
          <button type="submit" class="button primary" disabled={saving}>
            {saving ? "Saving…" : stream ? "Save" : "Add stream"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface AddressFieldProps {
  fields: StreamFields;
  stream: StreamView | undefined;
  put(change: Partial<StreamFields>): void;
}

function AddressField({ fields, stream, put }: AddressFieldProps) {
  return (
    <div class="field">
      <label for="stream-url">
        <span>Address</span>
      </label>
      <input
        id="stream-url"
        class="address"
        value={fields.url}
        autofocus={!stream}
        autocomplete="off"
        spellcheck={false}
        autocapitalize="off"
        maxLength={wire_limits.url_chars_max}
        placeholder="rtsp://user:password@camera:554/stream"
        aria-describedby="address-hint"
        onInput={(event) => put({ url: event.currentTarget.value })}
      />
      <p class="hint" id="address-hint">
        {stream
          ? "As it stands it stays, with what *** hides. To change it, type it whole."
          : "A camera, a live stream, a recording on the server, or a test pattern:"}
      </p>
      {!stream && (
        <div class="examples">
          {examples.map((example) => (
            <button
              key={example.kind}
              type="button"
              class="button small"
              title={example.url}
              onClick={() => put({ url: example.url })}
            >
              {example.kind}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
