import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";

const program = `import { openIo } from ${JSON.stringify(import.meta.resolve("./io.ts"))};
  const io = openIo();
  const wait = setTimeout(() => Deno.exit(1), 60_000);
  io.stop.addEventListener("abort", () => (clearTimeout(wait), io.out("stopped"), Deno.exit(0)));
  io.out("ready");`;

describe("openIo()", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`stops in order at ${signal}`, async () => {
      const config = new URL("../../deno.json", import.meta.url).pathname;
      await using child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--config", config, program],
        stdout: "piped",
      }).spawn();
      const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      expect((await output.read()).value).toBe("ready");
      child.kill(signal);
      expect((await output.read()).value).toBe("stopped");
      await output.cancel();
      expect((await child.status).code).toBe(0);
    });
  }
});
