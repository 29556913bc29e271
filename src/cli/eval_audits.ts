// Two laws, tried on a scene: questions do not change what is told, and nothing is told before it can be known. Must
// not know scores.
import type { Caption } from "../pipeline/ports.ts";
import type { Script } from "../world/script.ts";
import type { Exam, Given } from "../eval/exam.ts";
import { calmMoment, withFuture } from "../eval/future.ts";
import type { Audit } from "../eval/report.ts";
import type { EvalHouse } from "./eval_house.ts";

type Lasting = Pick<Caption, "seq" | "tick" | "t_media_ms" | "text" | "p_speak">;

/** What two runs of the same frames have in common; caption ages differ. */
export async function narrationHash(captions: readonly Lasting[]): Promise<string> {
  const lasting = captions.map((
    { seq, tick, t_media_ms, text, p_speak },
  ) => [seq, tick, t_media_ms, text, p_speak]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(lasting)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The same file once more, with questions all the time. */
export async function auditForks(
  house: EvalHouse,
  exam: Exam,
  video: string,
  calm: readonly Caption[],
): Promise<{ audit: Audit; live: Given[] }> {
  // Under the same name: what a stream draws by chance, it draws by its name and tick.
  const { name } = exam;
  const { captions, live } = await house.play({ name, video, live: { script: exam.script } });
  await house.forget(name);
  const [before, after] = [await narrationHash(calm), await narrationHash(captions)];
  const passed = before === after && live.length > 0;
  const note =
    `${calm.length} lines without questions, ${captions.length} while ${live.length} were answered: ${
      passed ? `the same (SHA-256 ${before.slice(0, 12)}…)` : "not the same"
    }`;
  return { audit: { passed, note }, live };
}

/**
 * The scene and the same scene with another future, in files whose encoder did not look ahead: a frame before the moment
 * would else carry a trace of what comes after it.
 */
export async function auditCausality(house: EvalHouse, exam: Exam, other: Script): Promise<Audit> {
  const at_s = calmMoment(exam.script);
  if (at_s === undefined) return { passed: false, note: "not tried: nothing ever stands still in the scene" };
  const told: Caption[][] = [];
  for (
    const [name, script] of [["past", exam.script], [
      "other-future",
      withFuture(exam.script, other, at_s),
    ]] as const
  ) {
    const video = await house.render(`${exam.name}-${name}`, script, true);
    const { captions } = await house.play({ name: exam.name, video });
    told.push(captions);
    await house.forget(exam.name);
  }
  const upTo = (captions: readonly Caption[]) =>
    captions.filter(({ t_media_ms }) => t_media_ms <= at_s * 1000);
  const [mine, others] = told.map(upTo) as [Caption[], Caption[]];
  const passed = await narrationHash(mine) === await narrationHash(others);
  const differ = await narrationHash(told[0]!) !== await narrationHash(told[1]!);
  const note = `${mine.length} and ${others.length} lines up to ${at_s.toFixed(1)} s: ${
    passed ? "the same" : "not the same"
  }; after it: ${differ ? "different" : "the same"}`;
  return { passed, note };
}
