// The door: every route and both sockets against every kind of Host, Origin and credential, judged by rules written
// down here a second time.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { type Clock, system_clock } from "../../src/clock.ts";
import { createApp } from "../../src/http/app.ts";
import { Auth } from "../../src/http/auth.ts";
import { Guard } from "../../src/http/guard.ts";
import { Lobby } from "../../src/http/lobby.ts";
import { Metrics } from "../../src/http/metrics.ts";
import { silent_log } from "../../src/log.ts";
import { FakeSurface } from "./http_fake_surface.ts";
import { call, openHouse, post, rawCall } from "./http_house.ts";

const token = "0123456789abcdef-right";
const own = "127.0.0.1:8080";

function buildApp(options: { token?: string; host?: string; clock?: Clock } = {}) {
  const surface = new FakeSurface();
  surface.put("cam1");
  const clock = options.clock ?? system_clock;
  const auth = new Auth({ token: options.token, clock });
  const guard = new Guard({
    auth,
    host: options.host ?? "127.0.0.1",
    allowed_hosts: ["cams.example"],
    allowed_origins: ["https://cams.example"],
  });
  const lobby = new Lobby(10);
  const metrics = new Metrics({ surface, lobby, version: "1" });
  const parts = { surface, auth, guard, lobby, metrics, static_dir: undefined, version: "1", clock };
  return { auth, guard, app: createApp({ ...parts, log: silent_log }) };
}

/** Every route of the app, from the app itself. */
function listRoutes(): { method: string; path: string }[] {
  const routes = buildApp().app.routes.filter(({ method }) => method !== "ALL");
  const seen = new Map(routes.map(({ method, path }) => [`${method} ${path}`, { method, path }]));
  return [...seen.values(), { method: "GET", path: "/" }, { method: "GET", path: "/assets/app.js" }];
}

const open_paths = ["/healthz", "/", "/assets/app.js"];
function isOpen(method: string, path: string): boolean {
  return open_paths.includes(path) || (path === "/api/v1/session" && method !== "DELETE");
}

const hosts: [string, boolean][] = [
  [own, true],
  ["localhost:1", true],
  ["[::1]:8080", true],
  ["CAMS.example", true],
  ["evil.example:8080", false],
  ["127.0.0.1.evil.example", false],
  ["cams.example.evil.example", false],
  ["192.168.1.4:8080", false],
  ["user@127.0.0.1", false],
  ["127.0.0.1/evil", false],
];

/** Origin header, Sec-Fetch-Site header, what it is. */
const origins: [string | undefined, string | undefined, "own" | "foreign" | "none" | "hidden"][] = [
  [`http://${own}`, "same-origin", "own"],
  ["https://cams.example", "same-origin", "own"],
  [undefined, undefined, "none"],
  [undefined, "cross-site", "hidden"],
  ["http://evil.example", "cross-site", "foreign"],
  ["null", "cross-site", "foreign"],
  [`https://${own}`, "cross-site", "foreign"],
  ["http://127.0.0.1:8081", "same-site", "foreign"],
  ["http://127.0.0.1", "same-site", "foreign"],
  [`http://${own}.evil.example`, "cross-site", "foreign"],
];

type Credential = "nothing" | "wrong bearer" | "right bearer" | "basic" | "wrong cookie" | "session";
const credentials: Credential[] = [
  "nothing",
  "wrong bearer",
  "right bearer",
  "basic",
  "wrong cookie",
  "session",
];

function credentialHeaders(credential: Credential, session: string): Record<string, string> {
  return {
    "nothing": {},
    "wrong bearer": { authorization: `Bearer ${token}x` },
    "right bearer": { authorization: `Bearer ${token}` },
    "basic": { authorization: `Basic ${btoa(`gander:${token}`)}` },
    "wrong cookie": { cookie: `gander_session=${session}x; other=1` },
    "session": { cookie: `other=1; gander_session=${session}` },
  }[credential];
}

/** The rules, said once more: the status a knock must get, or undefined when the door lets it through. */
function expectedStatus(knock: {
  changes: boolean;
  guarded: boolean;
  with_token: boolean;
  host_ok: boolean;
  origin: "own" | "foreign" | "none" | "hidden";
  credential: Credential;
}): number | undefined {
  if (!knock.host_ok) return 403;
  const bearer = knock.credential.endsWith("bearer");
  if (knock.changes) {
    if (knock.origin === "foreign") return 403;
    if (knock.origin === "none" && !bearer && knock.with_token) return 403;
    if (knock.origin === "hidden" && !bearer) return 403;
  }
  if (!knock.with_token || !knock.guarded) return undefined;
  return knock.credential === "right bearer" || knock.credential === "session" ? undefined : 401;
}

function compact(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

describe("door of every route", () => {
  for (const with_token of [false, true]) {
    for (const { method, path } of listRoutes()) {
      it(`${method} ${path} ${with_token ? "with a token" : "without a token"}`, async () => {
        const { app, auth } = buildApp({ token: with_token ? token : undefined });
        let session = "none";
        const changes = method !== "GET";
        const guarded = !isOpen(method, path);
        for (const credential of credentials) {
          for (const [origin, site, kind] of origins) {
            for (const [host, host_ok] of origin === `http://${own}` ? hosts : hosts.slice(0, 1)) {
              // One of the routes signs out.
              if (with_token && !auth.knows(session)) session = auth.login(token, "test");
              const own_page = kind === "own" && (host === own || origin!.startsWith("https"));
              const expected = expectedStatus({
                changes,
                guarded,
                with_token,
                host_ok,
                origin: kind === "own" && !own_page ? "foreign" : kind,
                credential,
              });
              const headers = compact({
                host,
                origin,
                "sec-fetch-site": site,
                ...credentialHeaders(credential, session),
              });
              const response = await app.request(path.replace(":id", "cam1").replace(":tick", "1"), {
                method,
                headers,
              });
              await response.body?.cancel();
              const refused = [401, 403].includes(response.status) ? response.status : undefined;
              expect({ headers, refused }).toEqual({ headers, refused: expected });
            }
          }
        }
      });
    }
  }
});

describe("door of the sockets", () => {
  for (const with_token of [false, true]) {
    for (const path of ["/ws/watch", "/ws/publish?stream=push1"]) {
      it(`${path} ${with_token ? "with a token" : "without a token"}`, async () => {
        await using house = await openHouse({ token: with_token ? token : undefined });
        house.surface.put("push1", "push");
        const login = await post(house, "/api/v1/session", { token }, { origin: house.url });
        const session = login.headers.get("set-cookie")?.match(/gander_session=([^;]+)/)?.[1] ?? "none";
        for (const credential of credentials) {
          for (
            const [origin, site, kind] of origins.filter(([origin]) => origin !== "https://cams.example")
          ) {
            for (const host of origin === `http://${own}` ? [house.host, "evil.example"] : [house.host]) {
              const expected = expectedStatus({
                changes: true,
                guarded: true,
                with_token,
                host_ok: host === house.host,
                origin: kind,
                credential,
              });
              const lines = Object.entries(compact({
                host,
                origin: origin?.replace(own, house.host),
                "sec-fetch-site": site,
                connection: "Upgrade",
                upgrade: "websocket",
                "sec-websocket-version": "13",
                "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
                "sec-websocket-protocol": `bearer.${token}`,
                ...credentialHeaders(credential, session),
              })).map(([name, value]) => `${name}: ${value}\r\n`).join("");
              const { status, text } = await rawCall(house, `GET ${path} HTTP/1.1\r\n${lines}\r\n`);
              expect({ lines, status }).toEqual({ lines, status: expected ?? 101 });
              if (expected) {
                expect(JSON.parse(text.split("\r\n\r\n")[1]).error.code).toMatch(/unauthorized|forbidden/);
              } // A token in a sub-protocol must not come back.
              else expect(text.toLowerCase()).not.toContain("sec-websocket-protocol");
            }
          }
        }
      });
    }
  }

  it("answer as HTTP what cannot be a socket", async () => {
    await using house = await openHouse();
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    const at = (path: string, more: string) =>
      rawCall(house, `GET ${path} HTTP/1.1\r\nHost: ${house.host}\r\n${more}\r\n`, 1_000);
    expect((await at("/ws/other", `${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`)).status).toBe(
      404,
    );
    expect((await at("/ws/watch", upgrade)).status).toBe(400);
    expect((await at("/ws/watch", "Connection: Upgrade\r\nUpgrade: h2c\r\n")).status).toBe(400);
    expect((await call(house, "/ws/watch")).status).toBe(404);
  });
});

describe("a server on every address", () => {
  it("serves any literal address and no strange name", async () => {
    const { app } = buildApp({ token, host: "0.0.0.0" });
    const statusFor = async (host: string) => (await app.request("/healthz", { headers: { host } })).status;
    for (const host of ["192.168.1.4:80", "[fe80::1]:80", "localhost", "cams.example"]) {
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    }
    for (const host of ["evil.example", "1.2.3.4.evil.example"]) {
      expect([host, await statusFor(host)]).toEqual([host, 403]);
    }
  });
});
