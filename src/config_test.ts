import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { config_keys, type ConfigSources, printConfig, readConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";

function read(sources: Partial<ConfigSources>) {
  return readConfig({
    environment: {},
    flags: {},
    readTextFile: (path) => {
      throw new Error(`${path}: no such file`);
    },
    ...sources,
  });
}

describe("readConfig", () => {
  it("lets flags win over environment over file over defaults", () => {
    const file = { path: "g.json", text: '{"port": 1, "streams_max": 2, "host": "127.0.0.2"} // mine' };
    const config = read({
      file,
      environment: { GANDER_PORT: "3", GANDER_STREAMS_MAX: "4" },
      flags: { port: 5 },
    });
    expect([config.port, config.streams_max, config.host, config.fsync]).toEqual([5, 4, "127.0.0.2", "full"]);
  });

  it("reports every problem together, by name", () => {
    const file = { path: "g.json", text: '{"port": "x", "colour": 1}' };
    const environment = { GANDER_TOKN: "a", GANDER_TOKEN: "short", GANDER_FSYNC: "maybe" };
    try {
      read({ file, environment });
      throw new Error("accepted");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { problems } = error as ConfigError;
      for (const name of ["port", "colour", "GANDER_TOKN", "token", "fsync"]) {
        expect(problems.some((line) => line.includes(name))).toBe(true);
      }
    }
  });

  it("takes times as a person writes them, and prints what means the same", () => {
    const config = read({ flags: { cadence: "250ms", refresh: "2m" } });
    expect([config.cadence, config.refresh]).toEqual([0.25, 120]);
    expect(read({ environment: { GANDER_CADENCE: "5" } }).cadence).toBe(5);
    for (const refresh of ["soon", "0", "2h", "-3s", ""]) {
      expect(() => read({ flags: { refresh } })).toThrow(/refresh: /);
    }
    expect(read({ file: { path: "p", text: printConfig(config) } })).toEqual(config);
  });

  it("reads the token from a file and never prints it", () => {
    const config = read({ flags: { token_file: "/t" }, readTextFile: () => "sixteen-letters-or-more\n" });
    expect(config.token).toBe("sixteen-letters-or-more");
    expect(printConfig(config)).not.toContain("sixteen");
  });
});

describe("printConfig", () => {
  it("prints every option, and what it prints is a configuration file that means the same", () => {
    const config = read({ flags: { port: 9, allowed_hosts: ["a", "b"] } });
    const text = printConfig(config);
    for (const key of config_keys) expect(text).toContain(`"${key}"`);
    expect(read({ file: { path: "p", text } })).toEqual(config);
  });
});
