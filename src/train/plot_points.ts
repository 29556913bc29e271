// Numbers over steps for a plot, a bounded number of them: when there are too many, neighbours become their mean.
// Must not know where they come from or how they are drawn.

export type PlotPoint = { step: number } & Record<string, number>;

interface WeightedPoint {
  values: PlotPoint;
  weight: number;
}

export class PlotPoints {
  #points: WeightedPoint[] = [];
  /** Records that the next point is the mean of. */
  #span = 1;

  /** `points_max`: even. */
  constructor(readonly points_max: number) {}

  add(values: PlotPoint): void {
    const last = this.#points.at(-1);
    if (last && last.weight < this.#span) {
      this.#points[this.#points.length - 1] = merged(last, { values, weight: 1 });
      return;
    }
    if (this.#points.length >= this.points_max) this.#halve();
    this.#points.push({ values, weight: 1 });
  }

  /** In the order of steps. */
  list(): PlotPoint[] {
    return this.#points.map(({ values }) => values);
  }

  #halve(): void {
    this.#span *= 2;
    const halves: WeightedPoint[] = [];
    for (let i = 0; i < this.#points.length; i += 2) {
      const [a, b] = [this.#points[i]!, this.#points[i + 1]];
      halves.push(b ? merged(a, b) : a);
    }
    this.#points = halves;
  }
}

/** Means of what both have; what one lacks comes from the other. The step is the later one. */
function merged(a: WeightedPoint, b: WeightedPoint): WeightedPoint {
  const values: PlotPoint = { ...a.values, ...b.values };
  const weight = a.weight + b.weight;
  for (const name of Object.keys(values)) {
    const [first, second] = [a.values[name], b.values[name]];
    if (name !== "step" && first !== undefined && second !== undefined) {
      values[name] = (first * a.weight + second * b.weight) / weight;
    }
  }
  return { values, weight };
}
