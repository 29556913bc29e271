// describe/it over Deno.test: what the import name @std/testing/bdd points at while JSR is out of reach
// (one line of deno.json switches to `jsr:@std/testing@^1/bdd`). Every `it` is one Deno test named
// "suite > case", so summaries, --filter and junit count cases. Sanitizers are on: a leaked timer fails.

type Body = () => void | Promise<void>;
type Options = Partial<Pick<Deno.TestDefinition, "sanitizeOps" | "sanitizeResources" | "sanitizeExit">>;

interface Suite {
  name: string;
  parent?: Suite;
  hooks: Record<Hook, Body[]>;
  options: Options;
  case_count: number;
  ended_count: number;
  started: boolean;
}
type Hook = "beforeAll" | "afterAll" | "beforeEach" | "afterEach";

let current: Suite | undefined;

function lineage(suite?: Suite): Suite[] {
  return suite ? [...lineage(suite.parent), suite] : [];
}

/** Opens a suite. `options` are the sanitizer switches of every case inside it. */
export function describe(name: string, optionsOrBody: Options | Body, body?: Body): void {
  const fn = typeof optionsOrBody === "function" ? optionsOrBody : body!;
  const own = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  current = {
    name,
    parent: current,
    hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
    options: { ...current?.options, ...own },
    case_count: 0,
    ended_count: 0,
    started: false,
  };
  try {
    fn();
  } finally {
    current = current.parent;
  }
}

function add(name: string, fn: Body, ignore: boolean, only: boolean): void {
  const suites = lineage(current);
  // An ignored case never runs, so it must not hold back afterAll.
  if (!ignore) { for (const suite of suites) suite.case_count++; }
  Deno.test({
    sanitizeOps: true,
    sanitizeResources: true,
    ...current?.options,
    name: [...suites.map((suite) => suite.name), name].join(" > "),
    ignore,
    only,
    fn: async () => {
      try {
        for (const suite of suites) {
          if (suite.started) continue;
          suite.started = true;
          for (const hook of suite.hooks.beforeAll) await hook();
        }
        try {
          for (const suite of suites) for (const hook of suite.hooks.beforeEach) await hook();
          await fn();
        } finally {
          for (const suite of suites.toReversed()) for (const hook of suite.hooks.afterEach) await hook();
        }
      } finally {
        for (const suite of suites.toReversed()) {
          if (++suite.ended_count < suite.case_count) continue;
          for (const hook of suite.hooks.afterAll) await hook();
        }
      }
    },
  });
}

interface It {
  (name: string, fn: Body): void;
  /** Registers an ignored case. The reason becomes part of the name, because a skip must say why. */
  skip(name: string, reason: string): void;
  only(name: string, fn: Body): void;
  /** Runs when `reason` is empty; otherwise registers a skip that says the reason. */
  unless(reason: string | undefined, name: string, fn: Body): void;
}

export const it: It = Object.assign((name: string, fn: Body) => add(name, fn, false, false), {
  skip: (name: string, reason: string) => add(`${name} [skipped: ${reason}]`, () => {}, true, false),
  only: (name: string, fn: Body) => add(name, fn, false, true),
  unless: (reason: string | undefined, name: string, fn: Body) =>
    reason ? it.skip(name, reason) : add(name, fn, false, false),
});

function hook(kind: Hook): (fn: Body) => void {
  return (fn) => {
    if (!current) throw new Error(`${kind} outside describe`);
    current.hooks[kind].push(fn);
  };
}

export const beforeAll: (fn: Body) => void = hook("beforeAll");
export const afterAll: (fn: Body) => void = hook("afterAll");
export const beforeEach: (fn: Body) => void = hook("beforeEach");
export const afterEach: (fn: Body) => void = hook("afterEach");
