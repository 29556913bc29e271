// Login, sessions, limits on guessing, and where a server may listen without a token.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Clock } from "../../src/clock.ts";
import { Auth } from "../../src/http/auth.ts";
import { checkBind } from "../../src/http/guard.ts";
import { call, Client, openHouse, post, until, watch } from "./http_house.ts";

const token = "0123456789abcdef-right";

describe("login", () => {
  it("sets a cookie that scripts cannot read and other sites cannot send, and ends it", async () => {
    await using house = await openHouse({ token });
    const origin = { origin: house.url };
    expect((await call(house, "/api/v1/session")).json).toEqual({ required: true, signed_in: false });
    expect((await post(house, "/api/v1/session", { token: "x" }, origin)).status).toBe(401);
    const login = await post(house, "/api/v1/session", { token }, origin);
    expect(login.json).toEqual({ required: true, signed_in: true });
    const set_cookie = login.headers.get("set-cookie")!;
    expect(set_cookie).toMatch(
      /^gander_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const cookie = set_cookie.split(";")[0];
    expect((await call(house, "/api/v1/session", { headers: { cookie } })).json.signed_in).toBe(true);
    expect((await call(house, "/api/v1/streams", { headers: { cookie } })).status).toBe(200);
    const logout = await call(house, "/api/v1/session", { method: "DELETE", headers: { cookie, ...origin } });
    expect(logout.json).toEqual({ required: true, signed_in: false });
    expect(logout.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await call(house, "/api/v1/streams", { headers: { cookie } })).status).toBe(401);
  });

  it("is not needed without a token", async () => {
    await using house = await openHouse();
    expect((await call(house, "/api/v1/session")).json).toEqual({ required: false, signed_in: true });
    const login = await post(house, "/api/v1/session", { token: "any" });
    expect(login.json).toEqual({ required: false, signed_in: true });
    expect(login.headers.get("set-cookie")).toBeNull();
  });

  it("closes sockets of a session that has ended", async () => {
    await using house = await openHouse({ token, sockets: { ping_ms: 40 } });
    const origin = { origin: house.url };
    const login = await post(house, "/api/v1/session", { token }, origin);
    const cookie = login.headers.get("set-cookie")!.split(";")[0];
    const browser = await watch(house, { cookie, ...origin });
    const program = await watch(house, { authorization: `Bearer ${token}` });
    await call(house, "/api/v1/session", { method: "DELETE", headers: { cookie, ...origin } });
    expect(await browser.closed).toEqual({ code: 4401, reason: "the session has ended" });
    expect(program.ws.readyState).toBe(program.ws.OPEN);
    await program.leave();
  });

  it("lets nobody guess for long, remembers few addresses, and forgives after a minute", () => {
    let now_ms = 0;
    const clock: Clock = { now_ms: () => now_ms, monotonic_ms: () => now_ms, sleep: () => Promise.resolve() };
    const auth = new Auth({ token, clock });
    const codeOf = (attempt: () => unknown) => {
      try {
        attempt();
        return "in";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const codes = Array.from({ length: 12 }, (_, n) => codeOf(() => auth.login(`guess ${n}`, "mallory")));
    expect(codes).toEqual([...Array(10).fill("unauthorized"), "rate_limited", "rate_limited"]);
    // Behind a proxy the owner has the same address.
    expect(codeOf(() => auth.login(token, "mallory"))).toBe("in");
    expect(codeOf(() => auth.login("guess", "mallory"))).toBe("rate_limited");
    expect(codeOf(() => auth.login("guess", "alice"))).toBe("unauthorized");
    // Many addresses push the oldest out instead of filling memory.
    for (let n = 0; n < 5_000; n++) codeOf(() => auth.login("guess", `address ${n}`));
    expect(codeOf(() => auth.login("guess", "mallory"))).toBe("unauthorized");
    for (let n = 0; n < 10; n++) codeOf(() => auth.login("guess", "bob"));
    expect(codeOf(() => auth.login("guess", "bob"))).toBe("rate_limited");
    now_ms += 60_001;
    expect(codeOf(() => auth.login("guess", "bob"))).toBe("unauthorized");
    // An old script with a wrong bearer does not lock out the people behind the same address.
    for (let n = 0; n < 400; n++) codeOf(() => auth.checkBearer("old", "office"));
    expect(codeOf(() => auth.checkBearer("old", "office"))).toBe("rate_limited");
    expect(codeOf(() => auth.checkBearer(token, "office"))).toBe("in");
    expect(codeOf(() => auth.login(token, "office"))).toBe("in");
  });

  it("keeps 1000 sessions for 7 days", () => {
    let now_ms = 0;
    const clock: Clock = { now_ms: () => now_ms, monotonic_ms: () => now_ms, sleep: () => Promise.resolve() };
    const auth = new Auth({ token, clock });
    const ids = Array.from({ length: 1_001 }, () => auth.login(token, "a"));
    expect(ids.map((id) => auth.knows(id)).filter(Boolean)).toHaveLength(1_000);
    expect(auth.knows(ids[0])).toBe(false);
    now_ms += 7 * 24 * 3_600_000 - 1;
    expect(auth.knows(ids[5])).toBe(true);
    now_ms += 1;
    expect(auth.knows(ids[5])).toBe(false);
    expect(auth.knows(undefined)).toBe(false);
  });

  it("answers 429 over the wire, with the time to wait", async () => {
    await using house = await openHouse({ token });
    let last = await post(house, "/api/v1/session", { token: "0" }, { origin: house.url });
    for (let n = 0; n < 10; n++) {
      last = await post(house, "/api/v1/session", { token: "x" }, { origin: house.url });
    }
    expect([last.status, last.json.error.code]).toEqual([429, "rate_limited"]);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(50);
    await until(() => house.log.length > 0, "log");
    expect(JSON.stringify(house.log)).not.toContain(token);
  });
});

describe("binding", () => {
  it("is refused for other machines without a token, with the sentence what to do", () => {
    for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"]) checkBind(host, undefined);
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "cams.example", "127.0.0.1.evil.example"]) {
      expect(() => checkBind(host, undefined)).toThrow(
        /set a token of 16 or more characters, or use host 127\.0\.0\.1/,
      );
      checkBind(host, token);
    }
    expect(() => checkBind("127.0.0.1", "short")).toThrow(/token has 5 characters: use 16 or more/);
  });

  it("is refused to a browser client without a session", async () => {
    await using house = await openHouse({ token });
    const nobody = new Client(`${house.url}/ws/watch`, { origin: house.url });
    expect(await nobody.opened).toBe(false);
  });
});
