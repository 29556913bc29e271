// A chat with the model of the fake surface: a test says what is answered. Must not know HTTP.
import type { Described, DescribeRequest } from "../../src/pipeline/surface.ts";

export interface Chat {
  request: DescribeRequest;
  say(text: string): void;
  done(text: string, more?: Partial<Described>): void;
  fail(error: Error): void;
}

/** Puts the chat among `chats`; resolves when the test or the one who asked ends it. */
export function openChat(chats: Chat[], request: DescribeRequest): Promise<Described> {
  const { promise, resolve, reject } = Promise.withResolvers<Described>();
  let text = "";
  const settle = (described: Partial<Described>) =>
    resolve({ text, ended: "stop", positions: 12, tokens: 3, pictures: [], ...described });
  request.signal?.addEventListener("abort", () => settle({ ended: "cancelled" }), { once: true });
  chats.push({
    request,
    say: (more) => request.onText?.(text += more),
    done: (text, more) => settle({ text, ...more }),
    fail: reject,
  });
  return promise;
}
