// The caption log and the commit: numbers without gaps, all or nothing, search that cannot be led astray.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { DatabaseSync } from "node:sqlite";
import type { SqliteStore } from "../../src/store/mod.ts";
import {
  captionOf,
  inFolder,
  inStore,
  open,
  say,
  snapshotHead,
  storeErrorOf,
  tickRecord,
} from "./store_fixture.ts";

const everything = { limit: 1_000 };

function found(store: SqliteStore, text: string): string[] {
  return store.captions("cam", { text, limit: 100 }).map((caption) => caption.text);
}

describe("captions", () => {
  it("come back as they were committed", () =>
    inStore((store) => {
      const first = say(store, "cam", "Ein Vogel 🪿 – überall");
      const second = say(store, "cam", "", { t_media_ms: 0.125, t_wall_ms: 1.5 });
      expect(store.captions("cam", everything)).toEqual([first, second]);
      expect(store.captions("other", everything)).toEqual([]);
    }));

  it("are numbered 1, 2, 3 per stream, and any other number is refused", () =>
    inStore(async (store) => {
      expect(store.lastSeq("cam")).toBe(0);
      for (const stream of ["cam", "door"]) {
        for (const wrong of [0, 2, -1, 1.5, NaN]) {
          const record = tickRecord(1);
          const error = await storeErrorOf(() =>
            store.commitTick(stream, record, captionOf(stream, wrong, record))
          );
          expect([error.code, error.retry]).toEqual(["store_failed", "never"]);
        }
        for (let count = 1; count <= 3; count++) expect(say(store, stream, "x").seq).toBe(count);
        const record = tickRecord(9);
        await storeErrorOf(() => store.commitTick(stream, record, captionOf(stream, 3, record)));
        expect(store.captions(stream, everything).map((caption) => caption.seq)).toEqual([1, 2, 3]);
      }
    }));

  it("keep their numbers over reopening, pruning and any mix of silent and speaking ticks", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("speak", "silent", "reopen", "prune"), { maxLength: 25 }),
        (steps) =>
          inFolder(async (data_dir) => {
            let store = open({ data_dir });
            let spoken = 0;
            for (const step of steps) {
              if (step === "speak") spoken = say(store, "cam", "x").seq;
              if (step === "silent") {
                store.commitTick("cam", tickRecord(store.lastTick("cam") + 1), undefined);
              }
              if (step === "prune") await store.prune("cam", { captions_before_ms: Infinity });
              if (step === "reopen") {
                await store.close();
                store = open({ data_dir });
              }
              expect(store.lastSeq("cam")).toBe(spoken);
            }
            await store.close();
            expect(spoken).toBe(steps.filter((step) => step === "speak").length);
          }),
      ),
      { numRuns: 15 },
    ));

  it("go on behind a snapshot that is ahead of the log, as a power loss may leave it", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        say(store, "cam", "one");
        await store.writeSnapshot(snapshotHead("cam", 9, { seq: 4 }), new Uint8Array(8));
        expect(store.lastSeq("cam")).toBe(4);
      }
      await using store = open({ data_dir });
      expect(store.lastSeq("cam")).toBe(4);
      store.deleteSnapshot("cam", 9);
      expect(store.lastSeq("cam")).toBe(4);
      expect(say(store, "cam", "five", { tick: 10 }).seq).toBe(5);
    }));

  it("are found by number, wall time, limit and order", () =>
    inStore((store) => {
      for (let at = 1; at <= 10; at++) say(store, "cam", `c${at}`, { t_wall_ms: at * 1_000 });
      const seqs = (query: Parameters<SqliteStore["captions"]>[1]) =>
        store.captions("cam", query).map((caption) => caption.seq);
      expect(seqs({ limit: 3 })).toEqual([1, 2, 3]);
      expect(seqs({ limit: 3, newest_first: true })).toEqual([10, 9, 8]);
      expect(seqs({ limit: 3, after_seq: 8 })).toEqual([9, 10]);
      expect(seqs({ limit: 9, from_ms: 4_000, to_ms: 6_000 })).toEqual([4, 5, 6]);
      expect(seqs({ limit: 9, from_ms: 4_000, to_ms: 6_000, after_seq: 4, newest_first: true })).toEqual([
        6,
        5,
      ]);
      expect(seqs({ limit: 9, from_ms: 10_001 })).toEqual([]);
      for (const limit of [0, -1, NaN]) expect(seqs({ limit })).toEqual([]);
    }));
});

describe("commitTick", () => {
  it("takes no tick twice and none that goes back", () =>
    inStore(async (store) => {
      store.commitTick("cam", tickRecord(5), undefined);
      for (const tick of [5, 4, 0, -1, 5.5, NaN]) {
        expect((await storeErrorOf(() => store.commitTick("cam", tickRecord(tick), undefined))).retry).toBe(
          "never",
        );
      }
      store.commitTick("cam", tickRecord(8), undefined);
      store.trimTicks("cam", 8);
      await storeErrorOf(() => store.commitTick("cam", tickRecord(8), undefined));
      expect([store.lastTick("cam"), store.trimmedTick("cam")]).toEqual([8, 8]);
    }));

  it("keeps nothing of a tick whose caption cannot be kept", () =>
    inStore(async (store) => {
      say(store, "cam", "one");
      const record = tickRecord(2);
      const broken = { ...captionOf("cam", 2, record), p_speak: NaN };
      const error = await storeErrorOf(() => store.commitTick("cam", record, broken));
      expect(error.message).toMatch(/^Cannot commit tick 2 of stream "cam": /);
      expect([store.lastSeq("cam"), store.lastTick("cam")]).toEqual([1, 1]);
      expect(store.ticksAfter("cam", 0).map((kept) => kept.tick)).toEqual([1]);
      store.commitTick("cam", record, captionOf("cam", 2, record));
      expect(store.ticksAfter("cam", 0).map((kept) => kept.tick)).toEqual([1, 2]);
    }));

  it("keeps nothing of a caption whose tick cannot be kept", () =>
    inStore(async (store) => {
      const broken = tickRecord(1, { thumbnail: null as unknown as Uint8Array });
      await storeErrorOf(() => store.commitTick("cam", broken, captionOf("cam", 1, broken)));
      expect(store.captions("cam", everything)).toEqual([]);
      expect([store.lastSeq("cam"), store.lastTick("cam")]).toEqual([0, 0]);
    }));

  it("refuses a caption of another stream or tick, and names that leave the folder", () =>
    inStore(async (store) => {
      const record = tickRecord(1);
      await storeErrorOf(() => store.commitTick("cam", record, captionOf("door", 1, record)));
      await storeErrorOf(() => store.commitTick("cam", record, captionOf("cam", 1, tickRecord(2))));
      for (const name of ["", "..", "../x", "a/b", "A", "a".repeat(65), "a\0"]) {
        await storeErrorOf(() => store.commitTick(name, record, undefined));
        await storeErrorOf(() => store.writeSnapshot(snapshotHead(name, 1), new Uint8Array(1)));
        await storeErrorOf(() => store.readSnapshot(name, 1));
        await storeErrorOf(() => store.deleteSnapshot(name, 1));
        await storeErrorOf(() => store.deleteStream(name));
        await storeErrorOf(() => store.saveStream({ id: name, spec: {}, paused: false, created_ms: 1 }));
      }
    }));
});

describe("search", () => {
  const texts = [
    "A red car stops",
    "the CARS leave",
    "Café in the rain",
    "red rain on a car",
    "一只鹅在水里游泳",
  ];
  const inTexts = (body: (store: SqliteStore) => void) =>
    inStore((store) => {
      for (const text of texts) say(store, "cam", text);
      body(store);
    });

  it("finds words in any order, phrases, longer words, and words without accents", () =>
    inTexts((store) => {
      expect(found(store, "car red")).toEqual([texts[0], texts[3]]);
      expect(found(store, '"red car"')).toEqual([texts[0]]);
      expect(found(store, "car*")).toEqual([texts[0], texts[1], texts[3]]);
      expect(found(store, "cafe RAIN")).toEqual([texts[2]]);
      expect(found(store, "鹅 水里")).toEqual([texts[4]]);
      expect(found(store, "鹅 red")).toEqual([]);
      expect(found(store, "  ")).toEqual(texts);
      expect(found(store, "?! --")).toEqual([]);
    }));

  it("works together with the other filters, and forgets what was pruned", () =>
    inStore(async (store, data_dir) => {
      for (let at = 1; at <= 1_200; at++) say(store, "cam", at % 2 ? "odd goose" : "even", { t_wall_ms: at });
      say(store, "door", "odd goose");
      const query = { text: "goose", from_ms: 100, to_ms: 110, limit: 3, newest_first: true };
      expect(store.captions("cam", query).map((caption) => caption.seq)).toEqual([109, 107, 105]);
      expect(await store.prune("cam", { captions_before_ms: 1_199 })).toEqual({
        captions: 1_198,
        answers: 0,
      });
      expect(found(store, "goose")).toEqual(["odd goose"]);
      expect(store.captions("door", everything).length).toBe(1);
      await store.close();
      using db = new DatabaseSync(`${data_dir}/gander.db`);
      db.exec("INSERT INTO captions_words (captions_words, rank) VALUES ('integrity-check', 1)");
    }));

  it("takes operators, quotes and columns for words", () =>
    inTexts((store) => {
      for (
        const text of ["car OR rain", "red NOT car", "text:red", "NEAR(red car)", "-red", "red AND", "^car"]
      ) {
        expect(() => found(store, text)).not.toThrow();
      }
      expect(found(store, "red NOT car")).toEqual([]);
      expect(found(store, "stops OR leave")).toEqual([]);
      expect(found(store, '"red')).toEqual([texts[0], texts[3]]);
      expect(found(store, 'red" car')).toEqual([texts[0], texts[3]]);
      expect(found(store, "(car)")).toEqual([texts[0], texts[3]]);
      expect(found(store, "'; DROP TABLE captions; --")).toEqual([]);
      expect(store.captions("cam", everything).length).toBe(texts.length);
    }));

  it("never throws, whatever is typed", () =>
    inTexts((store) => {
      const typed = fc.oneof(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.string({
          unit: fc.constantFrom('"', "'", "*", "(", ")", ":", "^", "-", "+", "\0", " ", "car", "AND"),
          maxLength: 12,
        }),
      );
      fc.assert(fc.property(typed, (text) => void found(store, text)), { numRuns: 500 });
      expect(() => found(store, "car ".repeat(10_000))).not.toThrow();
    }));

  it("finds every caption by its own words", () =>
    inStore((store) => {
      const word = fc.string({ unit: fc.constantFrom(..."abcdeé0ß"), minLength: 1, maxLength: 6 });
      fc.assert(
        fc.property(
          fc.array(word, { minLength: 1, maxLength: 6 }),
          fc.constantFrom(" ", ", ", ". ", '" '),
          (words, gap) => {
            const caption = say(store, "cam", words.join(gap));
            const query = { text: caption.text, limit: 1, newest_first: true };
            expect(store.captions("cam", query).map((hit) => hit.seq)).toEqual([caption.seq]);
          },
        ),
        { numRuns: 100 },
      );
    }));

  it("rebuilds a word index that does not fit its captions", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        say(store, "cam", "a goose");
      }
      {
        using db = new DatabaseSync(`${data_dir}/gander.db`);
        db.exec("INSERT INTO captions_words (captions_words) VALUES ('delete-all')");
      }
      await Deno.writeTextFile(`${data_dir}/gander.lock`, "4711");
      await using store = open({ data_dir });
      expect(found(store, "goose")).toEqual(["a goose"]);
    }));
});

describe("answers", () => {
  const answer = {
    id: "q1",
    stream: "cam",
    question: "What?",
    answer: "A goose.",
    tick: 7,
    t_media_ms: 3_500,
    t_wall_ms: 1_700_000_003_500,
    asked_at_ms: 100,
    status: "deadline" as const,
  };

  it("come back newest first, and the same id replaces", () =>
    inStore(async (store) => {
      store.saveAnswer(answer);
      const later = { ...answer, id: "q2", asked_at_ms: 200 };
      store.saveAnswer(later);
      store.saveAnswer({ ...answer, status: "done" });
      expect(store.answers("cam", 9)).toEqual([later, { ...answer, status: "done" }]);
      expect(store.answers("cam", 1)).toEqual([later]);
      expect(store.answers("cam", -1)).toEqual([]);
      expect(await store.prune("cam", { answers_before_ms: 150 })).toEqual({ captions: 0, answers: 1 });
      expect(store.answers("cam", 9)).toEqual([later]);
    }));
});
