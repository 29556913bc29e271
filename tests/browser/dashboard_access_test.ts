// The dashboard for every screen and every person: sizes, colours, names of controls, contrast.
import { afterAll, describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { doubledIds, faintTexts, namelessControls } from "./access.ts";
import { chromium_missing } from "./browser.ts";
import { closeBrowser, visit } from "./dashboard.ts";

const door = "#/stream/front-door";
const case_ = (name: string, body: () => Promise<void>) => it.unless(chromium_missing, name, body);

// The browser is one process for the whole suite, so its handles outlive a case.
describe("dashboard access", { sanitizeOps: false, sanitizeResources: false }, () => {
  afterAll(closeBrowser);

  for (
    const [name, width, height] of [["small phone", 320, 640], ["phone", 390, 844], [
      "tablet",
      820,
      1100,
    ]] as const
  ) {
    case_(`fits a ${name} without scrolling sideways`, async () => {
      await using visited = await visit({
        hash: door,
        context: { viewport: { width, height }, hasTouch: true },
      });
      const { page } = visited;
      await page.locator(".log .caption").last().waitFor();
      const widths = () => page.evaluate(() => document.documentElement.scrollWidth);
      expect(await widths()).toBe(width);
      await page.goto(`${visited.server.url}#/`);
      await page.getByRole("button", { name: "Add a stream" }).click();
      expect(await widths()).toBe(width);
    });
  }

  for (const colorScheme of ["light", "dark"] as const) {
    case_(`can be read and operated by everyone (${colorScheme})`, async () => {
      await using visited = await visit({ hash: door, context: { colorScheme, reducedMotion: "reduce" } });
      const { page } = visited;
      await page.locator(".log .caption").last().waitFor();
      await page.getByLabel("Question").fill("Who came?");
      await page.keyboard.press("Enter");
      await page.getByText("true of").waitFor();
      expect(await namelessControls(page)).toEqual([]);
      expect(await faintTexts(page)).toEqual([]);
      expect(await doubledIds(page)).toEqual([]);
      await page.getByRole("button", { name: "Add a stream" }).click();
      await page.getByText("More settings").click();
      expect(await namelessControls(page)).toEqual([]);
      expect(await faintTexts(page)).toEqual([]);
    });
  }

  case_("changes its colours by hand and remembers", async () => {
    await using visited = await visit({ context: { colorScheme: "light" } });
    const { page } = visited;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Colours: system. Change" }).click();
    await page.getByRole("button", { name: "Colours: light. Change" }).click();
    await page.getByRole("button", { name: "Colours: dark. Change" }).waitFor();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Colours: dark. Change" }).waitFor();
    expect(await ground()).toBe(dark);
  });
});
