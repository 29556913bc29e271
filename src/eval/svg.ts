// Small plots as SVG text: bars and curves, with axes from 0 to 1 upwards. Must not know what they show.

export interface Bar {
  name: string;
  value: number | null;
  interval?: { low: number; high: number } | null;
  /** The one that the others stand beside. */
  own?: boolean;
}

export interface Curve {
  name: string;
  points: readonly { x: number; y: number | null }[];
  colour: string;
}

const width = 560, left = 44, top = 12, right = 16;

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

/** One row a bar, lengths from 0 to 1. */
export function barPlot(bars: readonly Bar[]): string {
  const row = 22, name_width = 170, length = width - name_width - 70;
  const rows = bars.map(({ name, value, interval, own }, at) => {
    const y = top + at * row, share = value ?? 0;
    const whisker = interval
      ? `<path class="whisker" d="M${name_width + interval.low * length} ${y + 8}H${
        (name_width + interval.high * length).toFixed(1)
      }"/>`
      : "";
    return `<text x="${name_width - 8}" y="${y + 12}" text-anchor="end">${escapeText(name)}</text>` +
      `<rect class="${own ? "own" : "beside"}" x="${name_width}" y="${y + 1}" width="${
        (share * length).toFixed(1)
      }" height="14"/>` +
      whisker +
      `<text x="${name_width + share * length + 8}" y="${y + 12}">${
        value === null ? "–" : `${(100 * share).toFixed(1)} %`
      }</text>`;
  });
  const height = top * 2 + bars.length * row;
  return frame(height, rows.join(""));
}

/** `x_name` stands below; `log` spreads x by ratio. */
export function curvePlot(curves: readonly Curve[], x_name: string, log = false): string {
  const height = 240, bottom = 40;
  const place = log ? (x: number) => Math.log(Math.max(x, 1e-3)) : (x: number) => x;
  const all = curves.flatMap(({ points }) => points.map(({ x }) => place(x)));
  const from = Math.min(...all), to = Math.max(...all, from + 1e-6);
  const atX = (x: number) => left + (place(x) - from) / (to - from) * (width - left - right);
  const atY = (y: number) => top + (1 - y) * (height - top - bottom);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((y) =>
    `<path class="grid" d="M${left} ${atY(y)}H${width - right}"/>` +
    `<text x="${left - 6}" y="${atY(y) + 4}" text-anchor="end">${y}</text>`
  );
  const ticks = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b)
    .filter((_, at, every) => at % Math.ceil(every.length / 10) === 0)
    .map((x) => `<text x="${atX(x)}" y="${height - bottom + 16}" text-anchor="middle">${x}</text>`);
  const drawn = curves.map(({ points, colour }) => {
    const known = points.filter((point): point is { x: number; y: number } => point.y !== null);
    const path = known.map(({ x, y }, at) =>
      `${at === 0 ? "M" : "L"}${atX(x).toFixed(1)} ${atY(y).toFixed(1)}`
    );
    return `<path fill="none" stroke="${colour}" stroke-width="2" d="${path.join("")}"/>` +
      known.map(({ x, y }) =>
        `<circle cx="${atX(x).toFixed(1)}" cy="${atY(y).toFixed(1)}" r="3" fill="${colour}"/>`
      )
        .join("");
  });
  const names = curves.map(({ name, colour }, at) =>
    `<text x="${left + 8 + at * 170}" y="${height - 6}" fill="${colour}">${escapeText(name)}</text>`
  );
  const axis = `<text x="${width - right}" y="${height - 6}" text-anchor="end">${escapeText(x_name)}</text>`;
  return frame(height, [...grid, ...ticks, ...drawn, ...names, axis].join(""));
}

function frame(height: number, inside: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">${inside}</svg>`;
}
