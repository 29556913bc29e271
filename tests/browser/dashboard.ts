// The dashboard in a browser against its stand-in server: built once, opened page by page.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type MockOptions, MockServer } from "../../web/dev_server.ts";
import { openBrowser } from "./browser.ts";

const root = new URL("../../", import.meta.url).pathname;

let built: Promise<string> | undefined;

/** Builds the dashboard into a folder of this process, so that no test meets a half-made web/dist. */
async function build(): Promise<string> {
  const out_dir = await Deno.makeTempDir({ prefix: "gander-dashboard-" });
  const args = ["run", "-A", "npm:vite@8.3.8", "build", "web", "--outDir", out_dir, "--emptyOutDir"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  if (!success) throw new Error(`the dashboard was not built: ${new TextDecoder().decode(stderr)}`);
  return out_dir;
}

export interface Visit extends AsyncDisposable {
  page: Page;
  server: MockServer;
  /** What the page complained about: exceptions and console errors. Must stay empty. */
  complaints: string[];
}

export interface VisitOptions extends Partial<MockOptions> {
  hash?: string;
  context?: BrowserContextOptions;
  /** What the fake camera plays, as in openBrowser. */
  camera_file?: string;
}

/** By the file of their camera. */
const browsers = new Map<string | undefined, Browser>();

/** One page on a stand-in server of its own. Browsers are shared until closeBrowser(). */
export async function visit(options: VisitOptions = {}): Promise<Visit> {
  const { hash = "", context = {}, camera_file, ...mock } = options;
  const browser = browsers.get(camera_file) ?? await openBrowser({ camera_file });
  browsers.set(camera_file, browser);
  const server = new MockServer({ static_dir: await (built ??= build()), talk: false, ...mock }).start();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...context });
  page.setDefaultTimeout(8_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(server.url + hash);
  return {
    page,
    server,
    complaints,
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.stop();
    },
  };
}

export async function closeBrowser(): Promise<void> {
  for (const browser of browsers.values()) await browser.close();
  browsers.clear();
  if (built) await Deno.remove(await built, { recursive: true });
  built = undefined;
}
