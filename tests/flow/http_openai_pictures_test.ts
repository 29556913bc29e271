// The chat interface with the bundle as the model: conversations with pictures, settings, streaming, and what is refused.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { RequestError } from "../../src/errors.ts";
import { http_limits } from "../../src/http/limits.ts";
import { type House, openHouse, post, readEvents, type Reply, until } from "./http_house.ts";

const at = "/v1/chat/completions";
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const dataUrl = (bytes: Uint8Array) => `data:image/png;base64,${base64(bytes)}`;
const image = (url: string) => ({ type: "image_url", image_url: { url, detail: "high" } });
const text = (words: string) => ({ type: "text", text: words });
const user = (...content: unknown[]) => ({ role: "user", content });

function ask(house: House, body: object): Promise<Reply> {
  return post(house, at, { model: "fake", ...body });
}

/** The one chat under way. */
async function theChat(house: House) {
  await until(() => house.surface.chats.length === 1, "the chat");
  return house.surface.chats.pop()!;
}

describe("a chat with the bundle", () => {
  it("is the whole conversation, with the pictures of its messages", async () => {
    await using house = await openHouse();
    const first = Uint8Array.of(1, 2, 3, 255), second = Uint8Array.of(9);
    const asking = ask(house, {
      messages: [
        { role: "developer", content: "Be brief." },
        user(image(dataUrl(first)), text("What"), text("is it?")),
        { role: "assistant", content: "A cat." },
        { role: "user", content: [image(`DATA:;BASE64,${base64(second).replace(/=+$/, "")}`)] },
      ],
    });
    const { request, done } = await theChat(house);
    expect(request).toMatchObject({
      turns: [
        { role: "system", text: "Be brief.", images: [] },
        { role: "user", text: "What\nis it?", images: [0] },
        { role: "assistant", text: "A cat.", images: [] },
        { role: "user", text: "", images: [1] },
      ],
      pictures: [{ name: "picture 1", bytes: first }, { name: "picture 2", bytes: second }],
      sampler: {},
      stop_texts: [],
    });
    expect([request.tokens_max, request.seed]).toEqual([undefined, undefined]);
    done("A dog.", { positions: 600, tokens: 4 });
    expect((await asking).json).toMatchObject({
      object: "chat.completion",
      model: "fake",
      choices: [{ index: 0, message: { role: "assistant", content: "A dog." }, finish_reason: "stop" }],
      usage: { prompt_tokens: 600, completion_tokens: 4, total_tokens: 604 },
    });
  });

  it("takes the settings of the interface", async () => {
    await using house = await openHouse();
    const asking = ask(house, {
      messages: [user(text("Hi"))],
      temperature: 0,
      top_p: 0,
      presence_penalty: 0.5,
      frequency_penalty: -1,
      max_tokens: 9,
      max_completion_tokens: 7,
      seed: 11,
      stop: ["END", "."],
      tools: [],
    });
    const { request, done } = await theChat(house);
    expect(request).toMatchObject({
      sampler: { temperature: 0, presence_penalty: 0.5, count_penalty: -1, top_p: 1e-6 },
      tokens_max: 7,
      seed: 11n,
      stop_texts: ["END", "."],
    });
    done("Hello", { ended: "length" });
    expect((await asking).json.choices[0].finish_reason).toBe("length");
  });

  it("streams chunks that add up to the answer, with the count of tokens when it is asked for", async () => {
    await using house = await openHouse();
    const asking = fetch(house.url + at, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "fake",
        messages: [user(image(dataUrl(Uint8Array.of(1))))],
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    const { say, done } = await theChat(house);
    say("a ");
    const reading = readEvents(await asking, 6);
    await new Promise((resolve) => setTimeout(resolve, 20));
    say("goose");
    await new Promise((resolve) => setTimeout(resolve, 20));
    done("a goose.");
    const events = await reading;
    expect(events.at(-1)!.data).toBe("[DONE]");
    const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data));
    expect(chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta.content ?? "").join("")).toBe(
      "a goose.",
    );
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
    });
  });

  it("ends when the one who asked leaves", async () => {
    await using house = await openHouse();
    const leaving = new AbortController();
    const asking = fetch(house.url + at, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "fake", messages: [user(text("Hi"))] }),
      signal: leaving.signal,
    });
    const { request } = await theChat(house);
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await until(() => request.signal!.aborted, "the abort");
  });
});

describe("pictures of a chat", () => {
  it("may be large, but not too large, and not too many at once", async () => {
    await using house = await openHouse();
    const large = new Uint8Array(9 << 20).fill(7);
    const asking = [1, 2, 3, 4, 5].map(() => ask(house, { messages: [user(image(dataUrl(large)))] }));
    // 12 MiB each as base64: five fit into the bound of all, a sixth does not.
    await until(() => house.surface.chats.length === 5, "five chats", 20_000);
    const refused = await ask(house, { messages: [user(image(dataUrl(large)))] });
    expect(refused).toMatchObject({ status: 429, json: { error: { code: "questions_full" } } });
    expect(refused.headers.get("retry-after")).not.toBe(null);
    for (const { request, done } of house.surface.chats) {
      expect(Buffer.compare(request.pictures[0]!.bytes, large)).toBe(0);
      done("big");
    }
    expect((await Promise.all(asking)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const again = ask(house, { messages: [user(image(dataUrl(large)))] });
    await until(() => house.surface.chats.length === 6, "a chat after those", 20_000);
    house.surface.chats[5]!.done("big");
    expect((await again).status).toBe(200);

    const larger = new Uint8Array(http_limits.picture_bytes_max + 3);
    const too_large = await ask(house, { messages: [user(image(dataUrl(larger)))] });
    expect(too_large).toMatchObject({ status: 413, json: { error: { code: "too_large" } } });
    const body = await ask(house, {
      messages: [user(image(dataUrl(larger))), user(image(dataUrl(larger)))],
    });
    expect(body).toMatchObject({ status: 413, json: { error: { code: "too_large" } } });
    // What was refused unread is thrown away for half a second more, by a timer of the server's.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });

  it("are counted until a streamed answer has ended, not only until it begins", async () => {
    await using house = await openHouse();
    const messages = [user(image(dataUrl(new Uint8Array(9 << 20).fill(7))))];
    const opened: Response[] = [];
    for (let count = 1; count <= 5; count++) {
      const asking = fetch(house.url + at, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "fake", messages, stream: true }),
      });
      await until(() => house.surface.chats.length === count, "a chat", 20_000);
      house.surface.chats[count - 1]!.say("a ");
      opened.push(await asking);
    }
    expect(opened.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await ask(house, { messages })).toMatchObject({ status: 429 });
    house.surface.chats[0]!.done("a goose.");
    expect(await opened[0]!.text()).toContain("[DONE]");
    const again = ask(house, { messages });
    await until(() => house.surface.chats.length === 6, "a chat after that", 20_000);
    for (const { done } of house.surface.chats) done("a goose.");
    expect((await again).status).toBe(200);
    for (const response of opened.slice(1)) expect(await response.text()).toContain("[DONE]");
    // As above.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });

  it("do not make other bodies longer", async () => {
    await using house = await openHouse();
    const reply = await post(house, "/api/v1/streams", { name: "x".repeat(http_limits.json_bytes_max) });
    expect(reply.status).toBe(413);
  });

  const refusals: [string, unknown[], string][] = [
    ["an address of the network", [user(image("https://example.com/a.png"))], '"https:" addresses are not'],
    ["a file", [user(image("file:///etc/passwd"))], '"file:" addresses are not opened'],
    ["no address at all", [user(image("AAAA"))], '"this" addresses'],
    ["a data: URL of text", [user(image("data:image/png,AAAA"))], "must be ;base64"],
    ["what is no base64", [user(image("data:image/png;base64,A*AA"))], "it is not base64"],
    ["half of a base64 group", [user(image("data:image/png;base64,AAAAA"))], "it is not base64"],
    ["nothing", [user(image("data:image/png;base64,"))], "it is not base64"],
    [
      "a picture of the assistant",
      [{ role: "assistant", content: [image(dataUrl(Uint8Array.of(1)))] }],
      "only user",
    ],
    ["sound", [user({ type: "input_audio", input_audio: {} })], 'type "input_audio"'],
    ["an answer of a tool", [{ role: "tool", content: "4" }, user(text("Hi"))], 'role "tool"'],
  ];
  for (const [what, messages, words] of refusals) {
    it(`are refused when they are ${what}`, async () => {
      await using house = await openHouse();
      const reply = await ask(house, { messages });
      expect(reply).toMatchObject({
        status: 400,
        json: {
          error: {
            code: "bad_request",
            type: "invalid_request_error",
            message: expect.stringContaining(words),
          },
        },
      });
      expect(house.surface.chats).toEqual([]);
    });
  }

  it("are refused by a model that was not trained on them, streamed or not", async () => {
    await using house = await openHouse();
    for (const stream of [false, true]) {
      const asking = ask(house, { messages: [user(image(dataUrl(Uint8Array.of(1))))], stream });
      (await theChat(house)).fail(new RequestError("model_no_images", "Cannot ask about a picture: no."));
      expect(await asking).toMatchObject({
        status: 400,
        json: { error: { code: "model_no_images", type: "invalid_request_error", param: null } },
      });
    }
  });
});
