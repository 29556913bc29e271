// Style and script of loss.html. The script draws `run`, which the page defines before it. Must not know the run room.

export const page_style: string = `
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem; max-width: 1600px; }
h1 { font-size: 1.2rem; margin: 0; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); }
figure { margin: 0; border: 1px solid #8884; border-radius: 6px; padding: .6rem; }
figcaption { font-weight: 600; }
figcaption span { font-weight: 400; margin-left: .8rem; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 11px; fill: currentColor; opacity: .7; }
svg line { stroke: currentColor; opacity: .15; }
svg path { fill: none; stroke-width: 1.6; }
`;

export const page_script: string = `
const colours = ["#2f7ed8", "#e4572e", "#2a9d5c", "#9b5de5", "#c99700", "#d6539b", "#00a6a6", "#777"];
const make = (name, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  return node;
};
const short = (value) => value === 0 ? "0" :
  Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
/* Mean of the 2% of points around each, so that a trend shows through noise. */
const smooth = (pairs) => {
  const reach = Math.round(pairs.length / 100), sums = [0];
  for (const [, y] of pairs) sums.push(sums.at(-1) + y);
  return pairs.map(([x], i) => {
    const from = Math.max(0, i - reach), to = Math.min(pairs.length, i + reach + 1);
    return [x, (sums[to] - sums[from]) / (to - from)];
  });
};
function chart(title, points, names, logarithmic) {
  const series = names.map((name) => ({
    name, pairs: points.filter((p) => p[name] !== undefined).map((p) => [p.step, p[name]]),
  })).filter(({ pairs }) => pairs.length > 0);
  if (series.length === 0) return;
  const values = series.flatMap(({ pairs }) => pairs.map(([, y]) => y));
  const log = logarithmic && values.every((y) => y > 0);
  const scale = log ? Math.log : (y) => y;
  let low = Math.min(...values.map(scale)), high = Math.max(...values.map(scale));
  if (low === high) { low -= Math.abs(low) * .05 + 1e-12; high += Math.abs(high) * .05 + 1e-12; }
  const width = 600, height = 280, left = 56, right = 8, top = 8, bottom = 22;
  const last = Math.max(...points.map((p) => p.step), 1);
  const px = (x) => left + (width - left - right) * x / last;
  const py = (y) => top + (height - top - bottom) * (1 - (scale(y) - low) / (high - low));
  const svg = make("svg", { viewBox: "0 0 " + width + " " + height });
  for (let i = 0; i <= 4; i++) {
    const level = low + (high - low) * i / 4, y = log ? Math.exp(level) : level;
    svg.append(make("line", { x1: left, x2: width - right, y1: py(y), y2: py(y) }));
    svg.append(make("text", { x: left - 6, y: py(y) + 4, "text-anchor": "end" }, short(y)));
    const x = last * i / 4;
    const place = i === 0 ? "start" : i === 4 ? "end" : "middle";
    svg.append(make("text", { x: px(x), y: height - 6, "text-anchor": place }, Math.round(x)));
  }
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  series.forEach(({ name, pairs }, i) => {
    const colour = colours[i % colours.length];
    const line = (of) => "M" + of.map(([x, y]) => px(x).toFixed(1) + " " + py(y).toFixed(1)).join("L");
    const noisy = pairs.length > 100 && name !== "lr";
    if (noisy) svg.append(make("path", { d: line(pairs), stroke: colour, opacity: .25 }));
    const drawn = noisy ? smooth(pairs) : pairs;
    svg.append(make("path", { d: line(drawn), stroke: colour }));
    const label = document.createElement("span");
    label.style.color = colour;
    label.textContent = name + " " + short(drawn.at(-1)[1]);
    caption.append(label);
  });
  const figure = document.createElement("figure");
  figure.append(caption, svg);
  document.getElementById("charts").append(figure);
}
const names = new Set(run.points.flatMap((point) => Object.keys(point)));
const rates = ["lr", "grad_norm", "tokens_per_s", "images_per_s"];
const losses = [...names].filter((name) => name !== "step" && !rates.includes(name));
chart("Loss", run.points, losses, true);
const scores = [...new Set(run.scores.flatMap((point) => Object.keys(point)))].filter((name) => name !== "step");
chart("Scores on data that is not trained on", run.scores, scores, false);
chart("Learning rate", run.points, ["lr"], false);
chart("Gradient norm", run.points, ["grad_norm"], true);
chart("Speed", run.points, ["tokens_per_s", "images_per_s"], false);
const done = run.points.length ? run.points.at(-1).step : 0;
document.getElementById("now").textContent =
  "step " + done + " of " + run.steps + (run.running ? "; this page reloads itself" : "; not running");
`;
