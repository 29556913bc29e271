// gander eval on the whole service: real video files, ffmpeg, vision, the native engine and the store, with the small
// untrained model and art of plain squares.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { evalCommand } from "../../src/cli/eval.ts";
import { compose } from "../../src/compose.ts";
import { examOf } from "../../src/eval/exam.ts";
import { oracleLines } from "../../src/eval/narration_baselines.ts";
import { sceneOf } from "../../src/cli/eval_scenes.ts";
import { type Report, report_schema } from "../../src/eval/report.ts";
import { inventScene } from "../../src/world/author.ts";
import { writeSquareArt } from "../support/square_art.ts";

let folder: string;

async function runEval(words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "", err = "";
  const io = {
    out: (text: string) => out += text,
    err: (text: string) => err += text,
    stop: new AbortController().signal,
  };
  const folders = { packages_dir: `${folder}/none`, sprites_dir: `${folder}/art` };
  const code = await evalCommand(folders)(words, io, compose);
  return { code, out, err };
}

async function report(words: readonly string[]): Promise<Report> {
  const { code, out } = await runEval([...words, "--json", "-"]);
  expect(code).toBe(0);
  return report_schema.parse(JSON.parse(out));
}

describe("gander eval", () => {
  beforeAll(() => {
    folder = Deno.makeTempDirSync({ prefix: "gander-eval-test-" });
    writeSquareArt(`${folder}/art`);
  });
  afterAll(() => Deno.removeSync(folder, { recursive: true }));

  const small = ["--bundle", "builtin-tiny", "--size", "96", "--fps", "6", "--moments", "2"];

  it("plays scenes through the service, and gives an untrained model about nothing", async () => {
    const page = `${folder}/report.html`;
    const words = [
      "--level",
      "L1",
      "--scenes",
      "2",
      "--for",
      "15s",
      "--tasks",
      "T1,T2,T7,T10",
      "--html",
      page,
    ];
    const found = await report([...words, ...small, "--no-change-gate", "--keep", `${folder}/kept`]);
    const [section] = found.sections;
    expect([section!.name, section!.scenes]).toEqual(["L1", 2]);
    expect(section!.strict.true).toBeGreaterThan(4);
    expect(section!.strict.f1).toBeLessThan(0.05);
    expect(section!.answers.asked).toBeGreaterThan(10);
    expect(section!.answers.accuracy).toBeLessThan(0.4);
    expect(found.subject).toMatchObject({ kind: "service", trained: false });
    expect(found.machine!.frames).toBe(3 * 30);
    expect(found.machine!.failed).toBe(0);
    expect(found.travel!.overall.asked).toBeGreaterThan(5);
    expect(found.travel!.gap_max_s).toBeLessThan(15);
    expect(Deno.readTextFileSync(page)).toContain("<svg ");
    // What is kept can be scored again, as if another captioner had written it.
    const kept = [...Deno.readDirSync(`${folder}/kept`)].map(({ name }) => name);
    for (const name of ["l1-0.mp4", "l1-0.json", "l1-0.captions.jsonl"]) expect(kept).toContain(name);
    expect(kept.some((name) => name.endsWith(".part"))).toBe(false);
  });

  it("finds the narration the same with questions, and the past the same with another future", async () => {
    const words = ["--level", "L1", "--scenes", "1", "--for", "20s", "--tasks", "T1", "--seed", "3"];
    const { audits, live } = await report([...words, ...small, "--no-change-gate", "--moments", "0"]);
    expect(audits.fork).toMatchObject({ passed: true });
    expect(audits.fork!.note).not.toMatch(/^0 lines/);
    expect(audits.causality).toMatchObject({ passed: true });
    expect(audits.causality!.note).toMatch(/^[1-9].*after it: different$/);
    expect(live!.asked).toBeGreaterThan(0);
  });

  it("scores another captioner: the right lines and answers get about everything", async () => {
    const request = { seed: 5, level: "L2", duration_s: 60, styles: ["noto"], grammar: "test" } as const;
    const script = inventScene(request);
    const [path, captions] = [`${folder}/pond.json`, `${folder}/pond.jsonl`];
    Deno.writeTextFileSync(path, JSON.stringify(script));
    const { out } = await runEval(["--write-questions", "--script", path]);
    const asked = out.trim().split("\n").map((row) =>
      JSON.parse(row) as { id: string; t_s: number; text: string }
    );
    const exam = examOf("pond", "outside", script);
    const planned = sceneOf(exam, { tasks: new Set(), moments: 4 }).questions((t_s) => t_s);
    expect(asked).toEqual(planned.map(({ id, t_s, text }) => ({ id, t_s, text })));
    expect(out).not.toContain("answer");
    const rows = [
      ...oracleLines(exam, 2, 0),
      ...planned.map(({ id, answer }) => ({ question: id, text: answer })),
    ];
    Deno.writeTextFileSync(captions, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const found = await report(["--script", path, "--captions", captions]);
    expect(found.subject).toMatchObject({ kind: "captions", name: "pond.jsonl", model_hash: null });
    expect(found.sections[0]!.strict.f1).toBeGreaterThan(0.95);
    expect(found.sections[0]!.answers.accuracy).toBe(1);
    expect(found.sections[0]!.narrators.every(({ f1 }) => f1! < 0.4)).toBe(true);
  });

  it("refuses what cannot be with a sentence", async () => {
    const cases: [string[], RegExp][] = [
      [["--level", "L9"], /--level is L1, L2, L3 or all/],
      [["--scenes", "0"], /--scenes is a whole number from 1 to/],
      [["--tasks", "T1,T99"], /not "T99"/],
      [["--tasks", "T9"], /none of these --tasks/],
      [["--style", "oil"], /--style is one of/],
      [["--captions", "x.jsonl"], /goes with one --script/],
      [["--write-questions"], /needs a --script/],
      [["--script", "/nowhere.json"], /cannot read "\/nowhere\.json"/],
      [["a", "b"], /"b" is one word too many/],
      [["--size", "95"], /even/],
      [["--script"], /--script which FILE/],
    ];
    for (const [words, says] of cases) {
      const refusal = await runEval(words).then(() => "", (error: Error) => error.message);
      expect([words, says.test(refusal), refusal]).toEqual([words, true, refusal]);
    }
    Deno.writeTextFileSync(`${folder}/bad.json`, '{"format":"gander-scene"}');
    await expect(runEval(["--script", `${folder}/bad.json`])).rejects.toThrow(/is no scene script:\n/);
  });
});
