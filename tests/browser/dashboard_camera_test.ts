// This browser's camera through the dashboard, against the stand-in server: permission, formats, credits, loss, stop.
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import type { Page } from "playwright-core";
import { chromium_missing, makeCameraClip } from "./browser.ts";
import { closeBrowser, type Visit, visit } from "./dashboard.ts";

const case_ = (name: string, body: () => Promise<void>) => it.unless(chromium_missing, name, body);

async function until(what: string, isSo: () => boolean | undefined): Promise<void> {
  const deadline_ms = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > deadline_ms) throw new Error(`did not happen within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The one stream that was pushed to: its id and the messages that came. */
function pushed({ server }: Visit) {
  const [entry] = server.pushed;
  return { id: entry?.[0], messages: entry?.[1] ?? [] };
}

// The browsers are shared by the whole suite, so their handles outlive a case.
describe("dashboard camera", { sanitizeOps: false, sanitizeResources: false }, () => {
  let camera_file = "";
  beforeAll(async () => {
    if (chromium_missing) return;
    camera_file = await makeCameraClip(await Deno.makeTempFile({ suffix: ".mjpeg" }));
  });
  afterAll(async () => {
    await closeBrowser();
    if (camera_file) await Deno.remove(camera_file);
  });

  case_("is one click and the browser's own question away", async () => {
    await using visited = await visit({ streams: [], camera_file });
    const { page, server, complaints } = visited;
    await page.getByRole("main").getByRole("button", { name: "Use this camera" }).click();
    await page.getByText("Sending this camera to").waitFor();
    await until("eight pictures came", () => pushed(visited).messages.length >= 8);
    const { id, messages } = pushed(visited);
    expect(messages.every(({ codec, key_frame, bytes }) => codec === "jpeg" && key_frame && bytes > 2_000))
      .toBe(true);
    expect(server.streams.get(id)?.view.source).toEqual({ kind: "push" });
    expect(page.url()).toContain(`#/stream/${id}`);
    // Its own pictures come back over the watch socket.
    await page.waitForFunction(() =>
      document.querySelector<HTMLCanvasElement>(".picture canvas")?.width === 640
    );
    expect(await colourCount(page)).toBeGreaterThan(5);
    expect(await page.locator(".camera-options select").count()).toBe(2);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Send this camera here" }).waitFor();
    expect(complaints).toEqual([]);
  });

  case_("sends to the same stream again after its socket was lost", async () => {
    await using visited = await visit({ streams: [], camera_file });
    const { page, server } = visited;
    await page.getByRole("main").getByRole("button", { name: "Use this camera" }).click();
    await until("pictures came", () => pushed(visited).messages.length >= 3);
    server.publishers.forEach((socket) => socket.close(4000, "the test pulled the plug"));
    await page.getByText(/the test pulled the plug/).first().waitFor();
    const before = pushed(visited).messages.length;
    await until("pictures came again", () => pushed(visited).messages.length >= before + 3);
    expect(server.pushed.size).toBe(1);
    expect(server.streams.size).toBe(1);
  });

  for (const [format, label] of [["h264", "H.264 (less data)"], ["webm", "WebM recording"]] as const) {
    case_(`sends ${format}, beginning where a decoder can start`, async () => {
      await using visited = await visit({ streams: [], camera_file });
      const { page, complaints } = visited;
      await page.getByText("Camera options").click();
      await page.getByLabel("Send as").selectOption({ label });
      await page.getByRole("main").getByRole("button", { name: "Use this camera" }).click();
      await until("eight messages came", () => pushed(visited).messages.length >= 8);
      const { messages } = pushed(visited);
      expect(messages[0].key_frame).toBe(true);
      expect(messages.every(({ codec }) => codec === format)).toBe(true);
      expect(messages.some(({ key_frame }) => !key_frame)).toBe(true);
      expect(complaints).toEqual([]);
    });
  }

  case_("drops here and says so when the server gives no credit", async () => {
    await using visited = await visit({ streams: [], camera_file, credit: false });
    const { page } = visited;
    await page.getByRole("main").getByRole("button", { name: "Use this camera" }).click();
    await page.getByText(/dropped here/).waitFor();
    await until("the first credits are used", () => pushed(visited).messages.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(pushed(visited).messages.length).toBe(4);
  });

  case_("says what to do when the camera is not allowed, and adds no stream", async () => {
    await using visited = await visit({ streams: [] });
    const { page, server } = visited;
    await page.getByRole("main").getByRole("button", { name: "Use this camera" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/The camera was not allowed|No camera was found/);
    expect(await alert.getByRole("button", { name: "Try again" }).isVisible()).toBe(true);
    expect(server.streams.size).toBe(0);
  });
});

/** Different colours, coarsely, on a coarse grid of the live picture: a broken camera shows one. */
async function colourCount(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set<string>();
    for (let at = 0; at < data.length; at += 4 * 997) {
      colours.add(`${data[at] >> 5} ${data[at + 1] >> 5} ${data[at + 2] >> 5}`);
    }
    return colours.size;
  });
}
