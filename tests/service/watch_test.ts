// gander watch on a real clip, through ffmpeg, ONNX, the native engine and the store.
import { expect } from "@std/expect";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { sampleClip } from "./clip.ts";
import { runGander } from "./gander_process.ts";

let clip: string;
const lossless = ["--pace", "lossless", "--bundle", "builtin-tiny"];

function captionsOf(lines: string[]) {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("gander watch", () => {
  beforeAll(async () => {
    clip = await sampleClip();
  });

  it("prints one JSON object a line with every promised field, numbered without gaps", async () => {
    const { code, lines, err } = await runGander(["watch", clip, ...lossless, "--jsonl", "-"]);
    expect(err).toContain("untrained");
    expect(code).toBe(0);
    const captions = captionsOf(lines);
    expect(captions.length).toBeGreaterThan(3);
    captions.forEach((caption, index) => {
      expect(caption.type).toBe("caption");
      expect(caption.seq).toBe(index + 1);
      expect(typeof caption.t_media_ms).toBe("number");
      expect(String(caption.t_wall)).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect(String(caption.text).length).toBeGreaterThan(0);
      expect(caption.p_speak).toBeGreaterThanOrEqual(0);
      expect(caption.p_speak).toBeLessThanOrEqual(1);
      expect(caption.caption_age_ms).toBeGreaterThanOrEqual(0);
    });
    const times = captions.map((caption) => caption.t_media_ms as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("says the same words about the same film every time", async () => {
    const words = async () => {
      const { lines } = await runGander(["watch", clip, ...lossless, "--jsonl", "-"]);
      return captionsOf(lines).map(({ seq, t_media_ms, text, p_speak }) => [seq, t_media_ms, text, p_speak]);
    };
    const first = await words();
    expect(first.length).toBeGreaterThan(3);
    expect(await words()).toEqual(first);
  });

  it("writes subtitles that match the captions", async () => {
    const folder = Deno.makeTempDirSync();
    const [vtt, srt, jsonl] = ["a.vtt", "a.srt", "a.jsonl"].map((name) => `${folder}/${name}`) as [
      string,
      string,
      string,
    ];
    const { code } = await runGander([
      "watch",
      clip,
      ...lossless,
      "--vtt",
      vtt,
      "--srt",
      srt,
      "--jsonl",
      jsonl,
    ]);
    expect(code).toBe(0);
    const count = Deno.readTextFileSync(jsonl).trim().split("\n").length;
    const vtt_text = Deno.readTextFileSync(vtt);
    expect(vtt_text.startsWith("WEBVTT\n\n")).toBe(true);
    expect(vtt_text.match(/-->/g)?.length).toBe(count);
    expect(Deno.readTextFileSync(srt).match(/^\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}$/gm)?.length)
      .toBe(count);
    Deno.removeSync(folder, { recursive: true });
  });

  it("ends after --for, and leaves no temporary data behind", async () => {
    const temp = Deno.makeTempDirSync();
    const { code } = await runGander(
      ["watch", "testsrc:testsrc2", "--for", "2s", "--bundle", "builtin-tiny"],
      { TMPDIR: temp },
    );
    expect(code).toBe(0);
    expect([...Deno.readDirSync(temp)].map((entry) => entry.name)).toEqual([]);
    Deno.removeSync(temp);
  });

  it("refuses what cannot be with a sentence and a status", async () => {
    const cases: [string[], number, RegExp][] = [
      [["watch"], 2, /takes one SOURCE/],
      [["watch", "a", "b"], 2, /takes one SOURCE/],
      [["watch", clip, "--for", "soon"], 2, /not a duration/],
      [["watch", clip, "--colour", "red"], 2, /--colour/],
      [["watch", clip, "--rate", "99"], 2, /0\.05 to 10/],
      [["watch", "gopher://x/"], 1, /gopher/],
      [["watch", "/nowhere/film.mp4"], 1, /film\.mp4/],
      [["watch", clip, "--bundle", "/nowhere"], 1, /Cannot use bundle "\/nowhere"/],
      [["watch", clip, "--vtt", "/nowhere/x.vtt"], 2, /Cannot write "\/nowhere\/x\.vtt": No such file/],
      [["frobnicate"], 2, /no command "frobnicate"/],
      [["serve", "--host", "0.0.0.0"], 2, /token/],
      [["serve", "--port", "70000"], 2, /port/],
    ];
    for (const [words, status, says] of cases) {
      const { code, err, lines } = await runGander(words);
      expect(`${words.join(" ")}: ${err}`).toMatch(says);
      expect([words, code]).toEqual([words, status]);
      expect(lines).toEqual([]);
      expect(err).not.toMatch(/at .*file:\/\//);
    }
  });
});
