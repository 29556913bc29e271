// Answers of one who sees everything that is there now, and remembers nothing: what questions are worth that a picture
// alone answers. Must not know models.
import { answers } from "../world/answers.ts";
import { Dice } from "../world/dice.ts";
import { countNames } from "../world/questions.ts";
import type { Script } from "../world/script.ts";
import { placeOf, presentAt } from "../world/tracks.ts";
import { readQuestion } from "./question_reading.ts";

const dice = new Dice(1, "present");

export function answerFromPresent(question: string, t_s: number, script: Script): string {
  const { what, names: [x = "", y = ""] } = readQuestion(question);
  const counts = countNames(script, t_s);
  const count = counts[x] ?? 0;
  switch (what) {
    case "here":
      return answers.tell({ kind: "things", counts }, dice);
    case "where": {
      const found = presentAt(script, t_s).find(({ object }) => object.name === x);
      return found ? placeOf(found.pose) : `there is no ${x}`;
    }
    case "how_many":
    // At the least those that are there have come.
    case "so_far":
      return String(count);
    case "ever":
      return count > 0 ? "yes" : "no";
    case "first":
      // Who is still there is taken for the later one.
      return `the ${count > 0 && (counts[y] ?? 0) === 0 ? y : x}`;
    case "just":
    case "ago":
    case "unknown":
      return "nothing";
  }
}
