// The chat interface: streams as models, questions as messages, failures in that interface's shape.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { call, openCam, openHouse, post, readEvents, until } from "./http_house.ts";

const at = "/v1/chat/completions";
const user = (content: unknown) => [{ role: "system", content: "Be kind." }, { role: "user", content }];

describe("chat completions", () => {
  it("list the bundle and the streams as models", async () => {
    await using house = await openCam();
    expect((await call(house, "/v1/models")).json).toEqual({
      object: "list",
      data: [
        { id: "fake", object: "model", created: 0, owned_by: "gander" },
        { id: "cam1", object: "model", created: 1_795_442_400, owned_by: "gander" },
      ],
    });
    // Whoever names a stream like the bundle means the stream.
    house.surface.put("fake");
    const { data } = (await call(house, "/v1/models")).json;
    expect(data.map(({ id, created }: { id: string; created: number }) => [id, created > 0])).toEqual(
      [["cam1", true], ["fake", true]],
    );
  });

  it("answer the last user message, now or about a moment", async () => {
    await using house = await openCam(2);
    const cases: [string, unknown, object][] = [
      ["cam1", "who?", { kind: "now" }],
      ["cam1@2026-11-23T14:05:00Z", [{ type: "text", text: "who?" }], {
        kind: "wall",
        t_wall_ms: Date.UTC(2026, 10, 23, 14, 5),
      }],
      ["cam1@tick:3", "who?", { kind: "tick", tick: 3 }],
    ];
    for (const [model, content, moment] of cases) {
      const messages = [{ role: "user", content: "before" }, ...user(content)];
      const asking = post(house, at, { model, messages, temperature: 0.2, max_tokens: 50, tools: [] });
      await until(() => house.surface.questions.length === 1, "the question");
      const { request, done } = house.surface.questions.pop()!;
      expect(request).toMatchObject({ question: "who?", at: moment });
      done("a goose");
      expect((await asking).json).toMatchObject({
        object: "chat.completion",
        model,
        choices: [{ index: 0, message: { role: "assistant", content: "a goose" }, finish_reason: "stop" }],
      });
    }
  });

  it("stream the answer in chunks that add up to it", async () => {
    await using house = await openCam(1);
    const asking = fetch(house.url + at, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "cam1", messages: user("who?"), stream: true }),
    });
    await until(() => house.surface.questions.length === 1, "the question");
    const [{ say, done }] = house.surface.questions;
    say("a ");
    const reading = readEvents(await asking, 5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    say("goose");
    await new Promise((resolve) => setTimeout(resolve, 20));
    done("a goose.");
    const events = await reading;
    expect(events.at(-1)!.data).toBe("[DONE]");
    const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data));
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? "").join("")).toBe("a goose.");
    expect(chunks[0].choices[0].delta.role).toBe("assistant");
    expect(chunks.at(-1).choices[0].finish_reason).toBe("stop");
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("fail in the shape of that interface", async () => {
    await using house = await openCam();
    const token = "0123456789abcdef";
    await using locked = await openHouse({ token });
    const picture = [{ type: "image_url", image_url: { url: "data:image/png;base64," } }];
    const cases: [Promise<{ status: number; json: unknown }>, number, string, string][] = [
      [
        post(house, at, { model: "gone", messages: user("who?") }),
        404,
        "model_not_found",
        "invalid_request_error",
      ],
      [
        post(house, at, { model: "cam1@later", messages: user("who?") }),
        400,
        "bad_request",
        "invalid_request_error",
      ],
      [post(house, at, { model: "cam1", messages: [] }), 400, "bad_request", "invalid_request_error"],
      [post(house, at, { model: "cam1", messages: user(" ") }), 400, "bad_request", "invalid_request_error"],
      [
        post(house, at, { model: "cam1", messages: user(picture) }),
        400,
        "bad_request",
        "invalid_request_error",
      ],
      [post(house, at, "model"), 400, "bad_request", "invalid_request_error"],
      [call(house, "/v1/nothing"), 404, "not_found", "invalid_request_error"],
      [call(locked, "/v1/models"), 401, "unauthorized", "invalid_request_error"],
    ];
    for (const [reply, status, code, type] of cases) {
      expect(await reply).toMatchObject({
        status,
        json: { error: { code, type, param: null, message: expect.stringContaining("Cannot") } },
      });
    }
    const authorization = `Bearer ${token}`;
    expect((await call(locked, "/v1/models", { headers: { authorization } })).status).toBe(200);
  });
});
