// The dashboard's files: types, caching, and nothing from outside the folder.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { call, openHouse, post, rawCall } from "./http_house.ts";

describe("static files", () => {
  async function openSite() {
    const dir = await Deno.makeTempDir();
    const outside = await Deno.makeTempFile({ suffix: ".txt" });
    await Deno.writeTextFile(outside, "secret");
    await Deno.mkdir(`${dir}/assets`);
    await Deno.writeTextFile(`${dir}/index.html`, "<!doctype html>dashboard");
    await Deno.writeTextFile(`${dir}/assets/index-Bx7_a9Qz.js`, "export {}");
    await Deno.writeTextFile(`${dir}/assets/font.woff2`, "w");
    await Deno.writeTextFile(`${dir}/.env.txt`, "secret");
    await Deno.writeTextFile(`${dir}/run.exe`, "x");
    await Deno.symlink(outside, `${dir}/link.txt`);
    const house = await openHouse({ static_dir: dir });
    return {
      house,
      outside,
      async [Symbol.asyncDispose]() {
        await house[Symbol.asyncDispose]();
        await Deno.remove(dir, { recursive: true });
        await Deno.remove(outside);
      },
    };
  }

  it("come with the right type and caching", async () => {
    await using site = await openSite();
    const { house } = site;
    for (const path of ["/", "/index.html"]) {
      const page = await call(house, path);
      expect(page.text).toBe("<!doctype html>dashboard");
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page.headers.get("cache-control")).toBe("no-cache");
    }
    const script = await call(house, "/assets/index-Bx7_a9Qz.js");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await call(house, "/assets/font.woff2")).headers.get("cache-control")).toBe("no-cache");
    const head = await call(house, "/", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  it("never come from outside the folder, hidden, of unknown type, or by another method", async () => {
    await using site = await openSite();
    const { house, outside } = site;
    const name = outside.split("/").at(-1);
    const paths = [
      `/../${name}`,
      `/..%2f${name}`,
      `/%2e%2e/${name}`,
      `/%2e%2e%2f${name}`,
      `/assets/..%2f..%2f${name}`,
      `/..%5c${name}`,
      `//${outside}`,
      `/${encodeURIComponent(outside)}`,
      "/link.txt",
      "/.env.txt",
      "/assets/%2e%2e/.env.txt",
      "/index.html%00.txt",
      "/run.exe",
      "/assets",
      "/assets/",
      "/missing.js",
    ];
    for (const path of paths) {
      const { status, text } = await rawCall(
        house,
        `GET ${path} HTTP/1.1\r\nHost: ${house.host}\r\nConnection: close\r\n\r\n`,
      );
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toContain("secret");
    }
    expect((await post(house, "/index.html", {})).status).toBe(404);
  });

  it("are replaced by a page that says how to build them", async () => {
    for (const static_dir of [undefined, "/nowhere/at/all"]) {
      await using house = await openHouse({ static_dir });
      const page = await call(house, "/");
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(page.text).toContain("deno task build:web");
    }
  });
});
