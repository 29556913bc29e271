import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { formatRoute, parseRoute } from "./route.ts";

describe("route", () => {
  it("comes back as it went", () => {
    const routes = [
      { stream: undefined, at: undefined },
      { stream: "cam-1", at: undefined },
      { stream: "cam-1", at: "2031-03-04T12:05:09.000Z" },
    ];
    for (const route of routes) expect(parseRoute(formatRoute(route))).toEqual(route);
  });
  it("shows the list for what is not a link of ours", () => {
    for (const hash of ["", "#", "#/stream/", "#/stream/UP", "#/other/x", "#/stream/a/b"]) {
      expect(parseRoute(hash).stream).toBe(undefined);
    }
  });
  it("ignores a time that is none", () => expect(parseRoute("#/stream/a?at=soon").at).toBe(undefined));
});
