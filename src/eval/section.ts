// The scores of some scenes together, with everything that stands beside them: intervals, baselines, the oracle, the
// control. Must not know files, services or pages.
import { answerBlindly, answerer_names, type FittedAnswerers } from "./answer_baselines.ts";
import { accuracyByKind, accuracyOf, addTallies, tally } from "./answer_score.ts";
import { addCounts, type EventScore, ratesOf, scoreEvents } from "./event_score.ts";
import type { Exam, Given, Sitting } from "./exam.ts";
import type { FrameChange } from "./frame_changes.ts";
import { bootstrap } from "./interval.ts";
import { eval_limits } from "./limits.ts";
import { answerFromLog } from "./log_answers.ts";
import { type FittedNarrators, linesOf, narrator_names, oracleLines } from "./narration_baselines.ts";
import type { Section } from "./report.ts";
import { addTimings, timeEvents, timingOf } from "./timing_score.ts";
import { type Line, toldBy } from "./told.ts";
import { event_kinds } from "../world/events.ts";
import { addWordings, scoreWording, wordingOf } from "./wording_score.ts";

export interface Fitted {
  narrators: FittedNarrators;
  answerers: FittedAnswerers;
  rate_hz: number;
  /** Of the scene's pictures; undefined: there are none. */
  changesOf(exam: Exam): readonly FrameChange[] | undefined;
}

export function scoreSection(name: string, sittings: readonly Sitting[], fitted: Fitted): Section {
  const events = sittings.map(({ exam, lines }) => scoreEvents(exam.events, toldBy(lines)));
  const given = sittings.map(({ answers }) => answers.filter(({ question }) => question.set === "moment"));
  const from_log = sittings.map((sitting, at) => fromLog(sitting, given[at]!));
  return {
    name,
    scenes: sittings.length,
    duration_s: sittings.reduce((sum, { exam }) => sum + exam.script.duration_s, 0),
    strict: ratesOf(addCounts(events.map(({ strict }) => strict))),
    strict_f1_interval: bootstrap(events, (some) => strictF1(some)) ?? null,
    thing: ratesOf(addCounts(events.map(({ thing }) => thing))),
    kinds: kindRates(events),
    timing: timingOf(addTimings(sittings.map(({ exam, lines }) => timeEvents(exam.events, toldBy(lines))))),
    wording: wordingOf(addWordings(sittings.map(wordingSums))),
    answers: accuracyOf(tally(given.flat())),
    answers_interval: bootstrap(given.map(tally), (some) => accuracyOf(addTallies(some)).accuracy) ?? null,
    answer_kinds: accuracyByKind(given.flat()),
    log_answers: accuracyOf(tally(from_log.flat())),
    log_answer_kinds: accuracyByKind(from_log.flat()),
    narrators: narrator_names.map((one) => ({
      name: one,
      ...scoreNarrator(
        sittings,
        ({ exam }) =>
          linesOf(one, fitted.narrators, { exam, changes: fitted.changesOf(exam) }, fitted.rate_hz),
      ),
    })),
    answerers: answerer_names.map((one) => {
      const blind = sittings.flatMap(({ exam }, at) =>
        given[at]!.map((answer) => ({
          ...answer,
          text: answerBlindly(one, fitted.answerers, answer.question, exam),
        }))
      );
      return { name: one, overall: accuracyOf(tally(blind)), kinds: accuracyByKind(blind) };
    }),
    oracle: eval_limits.oracle_delays_s.map((delay_s) => {
      const { f1, pauc } = scoreNarrator(sittings, ({ exam }) => oracleLines(exam, fitted.rate_hz, delay_s));
      return { delay_s, f1, pauc };
    }),
    shuffled: shuffled(sittings),
  };
}

export function wordingSums({ exam, lines, ticks }: Sitting) {
  return scoreWording(lines, exam.events, { duration_s: exam.script.duration_s, ticks });
}

/** The same questions, answered out of what was said up to then. */
export function fromLog({ lines }: Sitting, given: readonly Given[]): Given[] {
  return given.map((one) => ({ ...one, text: answerFromLog(one.question.text, one.question.t_s, lines) }));
}

function strictF1(scores: readonly EventScore[]): number | null {
  return ratesOf(addCounts(scores.map(({ strict }) => strict))).f1;
}

function kindRates(scores: readonly EventScore[]): Section["kinds"] {
  return Object.fromEntries(event_kinds.flatMap((kind) => {
    const counts = addCounts(scores.map(({ kinds }) => kinds[kind]));
    return counts.told + counts.true === 0 ? [] : [[kind, ratesOf(counts)]];
  }));
}

function scoreNarrator(sittings: readonly Sitting[], narrate: (sitting: Sitting) => readonly Line[]) {
  const said = sittings.map((sitting) => ({ events: sitting.exam.events, lines: narrate(sitting) }));
  const scores = said.map(({ events, lines }) => scoreEvents(events, toldBy(lines)));
  const minutes = sittings.reduce((sum, { exam }) => sum + exam.script.duration_s / 60, 0);
  return {
    f1: strictF1(scores),
    thing_f1: ratesOf(addCounts(scores.map(({ thing }) => thing))).f1,
    pauc: timingOf(addTimings(said.map(({ events, lines }) => timeEvents(events, toldBy(lines))))).pauc,
    lines_per_min: minutes === 0 ? null : said.reduce((sum, { lines }) => sum + lines.length, 0) / minutes,
  };
}

/** Lines of the scene before, in a circle; scenes of one length only are like each other. */
function shuffled(sittings: readonly Sitting[]): Section["shuffled"] {
  if (sittings.length < 2) return null;
  const { f1, thing_f1 } = scoreNarrator(
    sittings.map(({ exam, ...rest }, at) => ({ ...rest, exam, lines: sittings.at(at - 1)!.lines })),
    ({ lines }) => lines,
  );
  return { f1, thing_f1 };
}
