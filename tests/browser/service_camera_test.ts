// The browser's camera through the whole real service: page → socket → ffmpeg → tower → state → caption on the page,
// by each of the three ways to push. Keeps screenshots in .gander/screens; `deno task screenshot` copies the README's.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Browser, Page } from "playwright-core";
import { sampleClip } from "../service/clip.ts";
import { type GanderProcess, root, startGander, until } from "../service/gander_process.ts";
import { chromium_missing, makeCameraClip, openBrowser } from "./browser.ts";

const case_ = (name: string, body: () => Promise<void>) => it.unless(chromium_missing, name, body);
const screens = `${root}.gander/screens`;

// Browser and service are shared by the whole suite.
describe("camera of the browser", { sanitizeOps: false, sanitizeResources: false }, () => {
  let gander: GanderProcess;
  let url = "";
  let browser: Browser;
  let data_dir = "";
  let camera_file = "";

  beforeAll(async () => {
    if (chromium_missing) return;
    Deno.mkdirSync(screens, { recursive: true });
    data_dir = Deno.makeTempDirSync({ prefix: "gander-camera-" });
    camera_file = await makeCameraClip(await Deno.makeTempFile({ suffix: ".mjpeg" }));
    gander = startGander(["serve", "--port", "0", "--data", data_dir, "--bundle", "builtin-seed"]);
    url = (await gander.said(/dashboard is at (\S+)/))[1]!;
    browser = await openBrowser({ camera_file });
  });
  afterAll(async () => {
    if (chromium_missing) return;
    await browser.close();
    gander.kill("SIGTERM");
    expect((await gander.ended).code).toBe(0);
    Deno.removeSync(data_dir, { recursive: true });
    Deno.removeSync(camera_file);
  });

  async function open(): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(url);
    return { page, complaints };
  }

  async function streams(): Promise<
    { id: string; status: string; last_seq: number; stats: { frames_fed: number } }[]
  > {
    return (await (await fetch(`${url.replace(/\/$/, "")}/api/v1/streams`)).json()).streams;
  }

  const ways = [["jpeg", undefined], ["h264", "H.264 (less data)"], ["webm", "WebM recording"]] as const;
  for (const [format, label] of ways) {
    case_(`${format}: its captions appear on the page, over its picture`, async () => {
      const { page, complaints } = await open();
      if (label) {
        await page.getByText("Camera options").click();
        await page.getByLabel("Send as").selectOption({ label });
      }
      await page.getByRole("button", { name: "Use this camera" }).first().click();
      await page.getByText("Sending this camera to").waitFor();
      const id = await page.waitForFunction(() => /#\/stream\/([^?]+)/.exec(location.hash)?.[1]).then((
        handle,
      ) => handle.jsonValue());
      // The test picture counts seconds and moves: the model finds something to say about it.
      const caption = page.getByRole("log").locator("li, article").first();
      await caption.waitFor().catch(async (error) => {
        await page.screenshot({ path: `${screens}/failed-${format}.png` });
        throw new Error(`${error}\n${JSON.stringify(await streams())}\n${gander.err()}`);
      });
      expect((await caption.innerText()).length).toBeGreaterThan(3);
      // The model sees the picture, not only the page.
      const stream = (await streams()).find((one) => one.id === id)!;
      expect(stream.status).toBe("live");
      expect(stream.last_seq).toBeGreaterThan(0);
      expect(stream.stats.frames_fed).toBeGreaterThan(0);
      await page.waitForFunction(() =>
        document.querySelector<HTMLCanvasElement>(".picture canvas")!.width > 300
      );
      await expectColours(page);
      await page.screenshot({ path: `${screens}/camera-${format}.png` });
      expect(complaints).toEqual([]);
      // The page goes away without a word; the stream waits for it.
      await page.close();
      await until(
        async () => (await streams())[0]?.status === "reconnecting",
        "the stream waits for its publisher",
      );
      const removed = await fetch(`${url.replace(/\/$/, "")}/api/v1/streams/${id}`, { method: "DELETE" });
      expect(removed.status).toBe(204);
    });
  }

  case_("the page on a film: caption over the picture, an answer bound to its moment", async () => {
    const clip = await sampleClip();
    const add = await fetch(`${url.replace(/\/$/, "")}/api/v1/streams`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        id: "film",
        name: "Sample clip",
        source: { kind: "pull", url: clip, loop: true },
      }),
    });
    expect(add.status).toBe(201);
    await add.body?.cancel();
    const { page, complaints } = await open();
    await page.goto(`${url}#/stream/film`);
    await page.getByRole("log").locator("li, article").nth(2).waitFor({ timeout: 60_000 });
    await page.getByRole("textbox", { name: /question/i }).fill("What is in the picture?");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.locator(".answer").first().waitFor();
    await page.waitForTimeout(1_500);
    await page.screenshot({ path: `${screens}/dashboard.png` });
    expect(await page.getByText(/untrained|never trained/i).count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

/** The canvas shows a picture, not one colour. */
async function expectColours(page: Page): Promise<void> {
  const colours = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set<number>();
    for (let at = 0; at < data.length; at += 4 * 997) {
      seen.add((data[at]! >> 5) * 64 + (data[at + 1]! >> 5) * 8 + (data[at + 2]! >> 5));
    }
    return seen.size;
  });
  expect(colours).toBeGreaterThan(5);
}
