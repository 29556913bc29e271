// The frame of the page: what stands where, and which view is shown. Knows panels, not their insides.
import { locked_out, phase, route, selected, streams } from "./edge.ts";
import { CameraBar } from "./panels/camera_bar.tsx";
import { EmptyState } from "./panels/empty_state.tsx";
import { SignIn } from "./panels/sign_in.tsx";
import { StreamForm } from "./panels/stream_form.tsx";
import { StreamList } from "./panels/stream_list.tsx";
import { StreamPage } from "./panels/stream_page.tsx";
import { Toasts } from "./panels/toasts.tsx";
import { TopBar } from "./panels/top_bar.tsx";
import { DeleteDialog } from "./panels/delete_dialog.tsx";

export function App() {
  if (locked_out.value) return <SignIn />;
  return (
    <div class="app" data-view={route.value.stream ? "stream" : "list"}>
      <a class="skip" href="#main" onClick={focusMain}>Skip to the stream</a>
      <TopBar />
      <CameraBar />
      <StreamList />
      <main id="main" tabIndex={-1}>
        <Main />
      </main>
      <StreamForm />
      <DeleteDialog />
      <Toasts />
    </div>
  );
}

/** The address bar belongs to deep links, so the skip link moves the focus itself. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Main() {
  if (streams.value === undefined) {
    return (
      <div class="blank">
        <p>{phase.value.kind === "waiting" ? phase.value.reason : "Connecting to the server"}…</p>
      </div>
    );
  }
  if (selected.value) return <StreamPage stream={selected.value} key={selected.value.id} />;
  if (route.value.stream) return <UnknownStream id={route.value.stream} />;
  return <EmptyState any={streams.value.length > 0} />;
}

function UnknownStream({ id }: { id: string }) {
  return (
    <div class="blank">
      <h1>No stream "{id}"</h1>
      <p>It was deleted, or the link is from another server.</p>
      <p>
        <a href="#/">All streams</a>
      </p>
    </div>
  );
}
