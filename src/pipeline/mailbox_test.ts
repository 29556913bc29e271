import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { Mailbox } from "./mailbox.ts";

describe("Mailbox", () => {
  it("holds the newest item only", async () => {
    const mailbox = new Mailbox<number>();
    expect([mailbox.put(1), mailbox.put(2), mailbox.put(3)]).toEqual([true, false, false]);
    expect(mailbox.waiting_count).toBe(1);
    expect(await mailbox.take()).toBe(3);
    expect([mailbox.waiting_count, mailbox.dropped_count]).toEqual([0, 2]);
  });

  it("hands an item straight to the taker who waits", async () => {
    const mailbox = new Mailbox<string>();
    const taken = mailbox.take();
    expect(mailbox.put("a")).toBe(true);
    expect(mailbox.waiting_count).toBe(0);
    expect(await taken).toBe("a");
  });

  it("gives what waits, then nothing, once closed", async () => {
    const mailbox = new Mailbox<number>();
    mailbox.put(1);
    mailbox.close();
    expect(mailbox.put(2)).toBe(false);
    expect([await mailbox.take(), await mailbox.take()]).toEqual([1, undefined]);
    expect(mailbox.dropped_count).toBe(1);
  });

  it("lets a waiting taker go when it is closed", async () => {
    const mailbox = new Mailbox<number>();
    const taken = mailbox.take();
    mailbox.close();
    expect(await taken).toBeUndefined();
  });

  it("refuses a second taker", () => {
    const mailbox = new Mailbox<number>();
    void mailbox.take();
    expect(() => mailbox.take()).toThrow("taker");
  });

  it("offered = taken + dropped + waiting, and what is taken never goes back in time", async () => {
    const acts = fc.array(fc.constantFrom("put", "put", "put", "take", "close"), { maxLength: 60 });
    await hold(300, acts, async (script) => {
      const mailbox = new Mailbox<number>();
      const taken: number[] = [];
      let offered = 0;
      let taking = false;
      for (const act of script) {
        if (act === "put") mailbox.put(++offered);
        else if (act === "close") mailbox.close();
        else if (!taking) {
          taking = true;
          void mailbox.take().then((item) => {
            taking = false;
            if (item !== undefined) taken.push(item);
          });
        }
        await Promise.resolve();
        await Promise.resolve();
        expect(taken.length + mailbox.dropped_count + mailbox.waiting_count).toBe(offered);
      }
      expect(taken).toEqual([...taken].sort((a, b) => a - b));
    });
  });
});
