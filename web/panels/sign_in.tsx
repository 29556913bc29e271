// The door: asks for the server's token, once per browser.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { askSession } from "../edge.ts";
import { errorText } from "../toasts.ts";

export function SignIn() {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget as HTMLFormElement).get("token") ?? "").trim();
    if (token === "") return setProblem("Enter the token.");
    setBusy(true);
    try {
      await api.signIn(token);
      await askSession();
    } catch (error) {
      setProblem(errorText(error));
    }
    setBusy(false);
  };
  return (
    <main class="sign-in">
      <form class="panel" onSubmit={submit}>
        <h1>
          <img src="./icon.svg" alt="" width="28" height="28" /> Gander
        </h1>
        <label class="field">
          <span>Access token</span>
          <input
            name="token"
            type="password"
            autocomplete="current-password"
            required
            autofocus
            aria-describedby="token-hint"
            aria-invalid={problem ? "true" : undefined}
          />
        </label>
        <p class="hint" id="token-hint">
          The token is in the configuration of the server.
        </p>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
