// Entry of the dashboard: what must come first, then the page.
import "./no_eval.ts";
import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./edge.ts";
import { showTheme } from "./theme.ts";

showTheme();
start();
render(<App />, document.getElementById("app")!);
