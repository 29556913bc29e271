import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ByteTrie } from "./byte_trie.ts";

describe("ByteTrie", () => {
  it("finds the longest sequence, not the first", () => {
    const trie = new ByteTrie(16);
    trie.insert(Uint8Array.of(1), 10);
    trie.insert(Uint8Array.of(1, 2, 3), 30);
    expect(trie.longest(Uint8Array.of(1, 2, 3, 4), 0)).toBe(30);
    expect(trie.longest(Uint8Array.of(1, 2, 9), 0)).toBe(10);
    expect(trie.longest(Uint8Array.of(9, 1), 1)).toBe(10);
    expect(trie.longest(Uint8Array.of(2), 0)).toBe(0);
  });

  it("refuses a sequence it has", () => {
    const trie = new ByteTrie(16);
    expect(trie.insert(Uint8Array.of(5, 6), 1)).toBe(true);
    expect(trie.insert(Uint8Array.of(5, 6), 2)).toBe(false);
    expect(trie.longest(Uint8Array.of(5, 6), 0)).toBe(1);
  });

  it("agrees with a search through a list", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 6, max: 3 });
    fc.assert(fc.property(fc.array(bytes, { minLength: 1, maxLength: 60 }), bytes, (sequences, text) => {
      const trie = new ByteTrie(sequences.reduce((sum, sequence) => sum + sequence.length, 0));
      const known = new Map<string, number>();
      sequences.forEach((sequence, index) => {
        expect(trie.insert(sequence, index + 1)).toBe(!known.has(sequence.join()));
        if (!known.has(sequence.join())) known.set(sequence.join(), index + 1);
      });
      let best = 0;
      for (let end = 1; end <= text.length; end++) best = known.get(text.slice(0, end).join()) ?? best;
      expect(trie.longest(text, 0)).toBe(best);
    }));
  });
});
