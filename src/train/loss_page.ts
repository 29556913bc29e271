// loss.html: a run as curves, in one file that needs no network and opens from disk. Owns the page and how often it is
// written. Must not know the trainer or how records come about.
import { join } from "node:path";
import { train_limits } from "./limits.ts";
import { type PlotPoint, PlotPoints } from "./plot_points.ts";
import { page_script, page_style } from "./loss_page_text.ts";
import type { LogRecord } from "./run_log.ts";

export class LossPage {
  readonly #steps = new PlotPoints(train_limits.plot_points_max);
  readonly #scores = new PlotPoints(train_limits.plot_points_max);
  #written_ms = -Infinity;

  constructor(readonly dir: string, readonly title: string, readonly steps: number) {}

  add({ step, loss, parts, lr, grad_norm, tokens_per_s, images_per_s, scores }: LogRecord): void {
    const rates = { lr, grad_norm, tokens_per_s, images_per_s };
    const named = Object.entries({ loss, ...parts, ...rates }).filter(([, value]) => Number.isFinite(value));
    if (named.length > 0) this.#steps.add({ ...Object.fromEntries(named), step } as PlotPoint);
    if (scores) this.#scores.add({ ...scores, step });
  }

  /** At most every page_interval_ms, unless `now`. Beside first, then renamed: a reader never sees half a page. */
  async write(at_ms: number, now: boolean, running: boolean): Promise<void> {
    if (!now && at_ms - this.#written_ms < train_limits.page_interval_ms) return;
    this.#written_ms = at_ms;
    const path = join(this.dir, "loss.html");
    await Deno.writeTextFile(`${path}.part`, this.text(running));
    await Deno.rename(`${path}.part`, path);
  }

  text(running: boolean): string {
    const data = {
      title: this.title,
      steps: this.steps,
      running,
      points: this.#steps.list().map(rounded),
      scores: this.#scores.list().map(rounded),
    };
    const reload_s = Math.round(train_limits.page_interval_ms / 1000);
    return [
      "<!doctype html>",
      '<html lang="en">',
      '<meta charset="utf-8">',
      '<meta name="viewport" content="width=device-width">',
      ...(running ? [`<meta http-equiv="refresh" content="${reload_s}">`] : []),
      `<title>${escaped(this.title)}</title>`,
      `<style>${page_style}</style>`,
      `<h1>${escaped(this.title)}</h1>`,
      '<p id="now"></p>',
      '<main id="charts"></main>',
      // Inside a script only "</" and "<!--" could end or change it.
      `<script>const run = ${JSON.stringify(data).replaceAll("<", "\\u003c")};${page_script}</script>`,
      "</html>",
      "",
    ].join("\n");
  }
}

/** Five digits are more than a pixel. */
function rounded(point: PlotPoint): PlotPoint {
  const entries = Object.entries(point).map(([name, value]) =>
    [name, name === "step" ? value : Number(value.toPrecision(5))] as const
  );
  return Object.fromEntries(entries) as PlotPoint;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
