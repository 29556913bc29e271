// Who goes with whom, so that the sum of the costs is least: exact, on sparse graphs, by shortest augmenting paths.
// Must not know events, lines or time.

export interface Edge {
  to: number;
  /** At least 0. */
  cost: number;
}

/** Costs more than all edges of a path together: as many pairs as possible come first. */
export const all_that_can = 1e6;

/**
 * For each row the column that it goes with, or undefined. Every column is taken once at most. What is minimised is the
 * sum of the costs of all pairs plus `alone` for every row without one: an edge that costs more is never worth it.
 */
export function matchRows(rows: readonly (readonly Edge[])[], alone: number): (number | undefined)[] {
  const matching = new Matching(rows, alone);
  for (let row = 0; row < rows.length; row++) matching.place(row);
  return matching.columns();
}

/**
 * Rows are placed one by one. Each has a column of its own besides, that stands for having no partner and costs
 * `alone`, so that there always is a path. Potentials keep reduced costs at 0 or above.
 */
class Matching {
  readonly #rows: readonly (readonly Edge[])[];
  readonly #alone: number;
  /** Of a row: its column; a number below 0 is the row's own. */
  readonly #column_of: (number | undefined)[];
  readonly #row_of = new Map<number, number>();
  readonly #potential = new Map<number, number>();

  constructor(rows: readonly (readonly Edge[])[], alone: number) {
    this.#rows = rows;
    this.#alone = alone;
    this.#column_of = rows.map(() => undefined);
  }

  columns(): (number | undefined)[] {
    return this.#column_of.map((column) => column === undefined || column < 0 ? undefined : column);
  }

  /** Dijkstra over the columns that the new row reaches through rows that stand already. */
  place(fresh: number): void {
    const distance = new Map<number, number>();
    const came_from = new Map<number, number>();
    const done = new Set<number>();
    const heap = new Heap();
    let row = fresh, reached = 0, end: number | undefined;
    while (end === undefined) {
      const base = this.#rowPotential(row);
      for (const { to, cost } of this.#edges(row)) {
        if (done.has(to)) continue;
        const next = reached + cost - base - (this.#potential.get(to) ?? 0);
        if (next >= (distance.get(to) ?? Infinity)) continue;
        distance.set(to, next);
        came_from.set(to, row);
        heap.push(next, to);
      }
      const [at, column] = heap.pop();
      if (done.has(column) || at > distance.get(column)!) continue;
      done.add(column);
      reached = at;
      const owner = this.#row_of.get(column);
      if (owner === undefined) end = column;
      else row = owner;
    }
    for (const column of done) {
      const change = distance.get(column)! - reached;
      this.#potential.set(column, (this.#potential.get(column) ?? 0) + change);
    }
    for (let column: number | undefined = end; column !== undefined;) {
      const taker: number = came_from.get(column)!;
      const left: number | undefined = this.#column_of[taker];
      this.#column_of[taker] = column;
      this.#row_of.set(column, taker);
      column = taker === fresh ? undefined : left;
    }
  }

  /** Of a row that stands: what makes the reduced cost of its pair 0. */
  #rowPotential(row: number): number {
    const column = this.#column_of[row];
    if (column === undefined) return 0;
    const cost = column < 0 ? this.#alone : this.#rows[row]!.find(({ to }) => to === column)!.cost;
    return cost - (this.#potential.get(column) ?? 0);
  }

  #edges(row: number): Edge[] {
    return [...this.#rows[row]!, { to: -1 - row, cost: this.#alone }];
  }
}

/** The least first. */
class Heap {
  readonly #items: [number, number][] = [];

  push(key: number, value: number): void {
    const items = this.#items;
    let at = items.push([key, value]) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (items[above]![0] <= items[at]![0]) break;
      [items[above], items[at]] = [items[at]!, items[above]!];
      at = above;
    }
  }

  /** There always is one: a row's own column is free until it is taken. */
  pop(): [number, number] {
    const items = this.#items;
    const least = items[0]!;
    const last = items.pop()!;
    if (items.length === 0) return least;
    items[0] = last;
    for (let at = 0;;) {
      const left = 2 * at + 1, right = left + 1;
      let smallest = at;
      if (left < items.length && items[left]![0] < items[smallest]![0]) smallest = left;
      if (right < items.length && items[right]![0] < items[smallest]![0]) smallest = right;
      if (smallest === at) return least;
      [items[at], items[smallest]] = [items[smallest]!, items[at]!];
      at = smallest;
    }
  }
}
