// Errors: the table, the rooms and docs/errors.md say the same, in every direction.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import type { NativeCode } from "../../ffi/errors.ts";
import { CapacityError, ConfigError, RequestError } from "../../src/errors.ts";
import type * as http from "../../src/http/codes.ts";
import { describeError, error_table } from "../../src/http/error_response.ts";
import { HttpError } from "../../src/http/http_error.ts";
import type { ModelCode } from "../../src/model/errors.ts";
import type { ImportCode } from "../../src/model/import/import_error.ts";
import type { StoreCode } from "../../src/store/errors.ts";
import type { VisionCode } from "../../src/vision/errors.ts";
import { close_codes } from "../../src/wire/mod.ts";
import type { SourceCode } from "../../streams/errors.ts";

/** Does not compile when the lists of src/http/codes.ts and a room differ, in either direction. */
type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : never : never;
const same_as_room: [
  Same<http.SourceCode, SourceCode>,
  Same<http.NativeCode, NativeCode>,
  Same<http.ModelCode, ModelCode>,
  Same<http.ImportCode, ImportCode>,
  Same<http.VisionCode, VisionCode>,
  Same<http.StoreCode, StoreCode>,
] = [true, true, true, true, true, true];

const page = Deno.readTextFileSync(fileURLToPath(new URL("../../docs/errors.md", import.meta.url)));

function documentedRows(): Map<string, { status: number; close: number }> {
  const rows = page.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (.+) \| (.+) \|$/gm);
  return new Map(
    [...rows].map(([, code, status, close, meaning, action]) => {
      expect([code, meaning!.endsWith("."), action!.endsWith(".")]).toEqual([code, true, true]);
      return [code!, { status: Number(status), close: Number(close) }];
    }),
  );
}

describe("errors", () => {
  it("of every room are listed where they are mapped", () => {
    expect(same_as_room).toHaveLength(6);
  });

  it("are documented as they are mapped, and nothing else is", () => {
    expect(Object.fromEntries(documentedRows())).toEqual(error_table);
    const tables = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(tables).toHaveLength(Object.keys(error_table).length);
  });

  it("close sockets with codes that are documented and real", () => {
    const documented = [...page.matchAll(/^\| (\d{4}) \| .+ \|$/gm)].map(([, code]) => Number(code));
    const used = new Set<number>([1000, ...Object.values(error_table).map(({ close }) => close)]);
    for (const code of Object.values(close_codes)) used.add(code);
    expect(documented).toEqual([...used].sort((a, b) => a - b));
    for (const code of used) {
      expect((code >= 1000 && code <= 1015) || (code >= 4000 && code <= 4999)).toBe(true);
    }
  });
});

describe("describeError", () => {
  it("keeps the sentence and advice of errors that are meant for people", () => {
    expect(describeError(new RequestError("stream_unknown", "Cannot find it."))).toEqual({
      status: 404,
      close: 4404,
      error: { code: "stream_unknown", message: "Cannot find it.", retry: "never" },
      headers: {},
    });
    const full = describeError(new CapacityError("questions_full", "Cannot ask."));
    expect(full).toMatchObject({ status: 429, error: { retry: "backoff" }, headers: { "retry-after": "1" } });
    const denied = new HttpError("method_not_allowed", "No.", { headers: { allow: "GET" } });
    expect(describeError(denied).headers).toEqual({ allow: "GET" });
  });

  it("knows errors of other rooms by their shape", () => {
    const lost = Object.assign(new Error("Cannot step: device lost"), {
      code: "device_lost",
      retry: "reopen",
    });
    expect(describeError(lost)).toMatchObject({
      status: 503,
      error: { code: "device_lost", retry: "reopen" },
    });
  });

  it("hides everything else", () => {
    const secrets = [
      new Error("password"),
      Object.assign(new Error("password"), { code: "ENOENT" }),
      Object.assign(new Error("password"), { code: "toString" }),
      Object.assign(new Error("password"), { code: "misuse" }),
      new ConfigError(["password"]),
      "password",
      { code: "stream_unknown", message: "password" },
      undefined,
    ];
    for (const thrown of secrets) {
      const problem = describeError(thrown);
      expect(problem).toMatchObject({
        status: 500,
        close: 1011,
        error: { code: "internal", retry: "never" },
      });
      expect(JSON.stringify(problem)).not.toContain("password");
    }
  });
});
