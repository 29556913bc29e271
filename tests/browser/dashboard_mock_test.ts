// The dashboard against its stand-in server, in a real browser: what a person sees, does and must never lose.
import { afterAll, describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import type { Page } from "playwright-core";
import { chromium_missing } from "./browser.ts";
import { closeBrowser, visit } from "./dashboard.ts";

const door = "#/stream/front-door";
const case_ = (name: string, body: () => Promise<void>) => it.unless(chromium_missing, name, body);

const captionSeqs = (page: Page) =>
  page.locator(".log .caption").evaluateAll((rows) =>
    rows.map((row) => Number((row as HTMLElement).dataset.seq))
  );
const newestText = (page: Page) => page.locator(".log .caption .caption-text").last();

/** Numbers that follow each other without gap or repeat. */
function expectWhole(seqs: number[]): void {
  expect(seqs).toEqual(seqs.map((_, index) => seqs[0] + index));
}

// The browser is one process for the whole suite, so its handles outlive a case.
describe("dashboard", { sanitizeOps: false, sanitizeResources: false }, () => {
  afterAll(closeBrowser);

  case_("lists streams with their state in words and what they said last", async () => {
    await using visited = await visit();
    const { page, complaints } = visited;
    await page.getByRole("link", { name: /Front door/ }).waitFor();
    // What was said last comes over the socket, after the list.
    const row = page.locator(".stream-row", { hasText: "Back yard" }).filter({ hasText: "ago" });
    await row.waitFor();
    expect(await page.locator(".stream-row").count()).toBe(3);
    expect(await row.innerText()).toContain("Reconnecting: connection refused by yard.local:554");
    await page.getByRole("heading", { name: "Choose a stream" }).waitFor();
    expect(complaints).toEqual([]);
  });

  case_("leads to the two first actions when there is nothing to watch", async () => {
    await using visited = await visit({ streams: [] });
    const main = visited.page.getByRole("main");
    await main.getByRole("heading", { name: "Nothing to watch yet" }).waitFor();
    expect(await main.getByRole("button", { name: "Use this camera" }).isVisible()).toBe(true);
    expect(await main.getByRole("button", { name: "Add a stream" }).isVisible()).toBe(true);
  });

  case_("shows a stream by its link: title, banner, captions without gap", async () => {
    await using visited = await visit({ hash: door });
    const { page, complaints } = visited;
    await newestText(page).waitFor();
    await page.waitForFunction(() => document.title === "Front door · Gander");
    await page.getByText("Fake engine.").waitFor();
    const seqs = await captionSeqs(page);
    expect(seqs.length).toBe(50);
    expectWhole(seqs);
    expect(complaints).toEqual([]);
  });

  case_("shows words as they are spoken, then the caption", async () => {
    await using visited = await visit({ hash: door });
    const { page, server } = visited;
    await newestText(page).waitFor();
    server.delta("front-door", "A heron lands");
    await page.locator(".words-over", { hasText: "A heron lands" }).waitFor();
    await page.locator(".speaking", { hasText: "A heron lands" }).waitFor();
    const before = (await captionSeqs(page)).at(-1)!;
    server.say("front-door");
    await page.locator(`.caption[data-seq="${before + 1}"]`).waitFor();
    await page.locator(".speaking").waitFor({ state: "detached" });
  });

  case_("answers a question word by word, says what it is true of, and can be cancelled", async () => {
    await using visited = await visit({ hash: door });
    const { page } = visited;
    await page.getByLabel("Question").fill("Who came? Take your time.");
    await page.keyboard.press("Enter");
    const card = page.locator(".answer").last();
    await page.locator('.answer[aria-busy="true"] .answer-text').last().waitFor();
    await card.getByText("true of").waitFor({ timeout: 30_000 });
    await page.locator('.answer[aria-busy="false"]').last().waitFor();
    await card.getByText("Captions up to that moment (3)").click();
    await card.locator(".evidence li").nth(2).waitFor();
    expect(await card.locator(".evidence li").count()).toBe(3);

    await page.getByLabel("Question").fill("And then? Take your time.");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".answer").last().getByText("cancelled").waitFor();
  });

  case_("asks about the moment that was clicked on the timeline", async () => {
    await using visited = await visit({ hash: door });
    const { page, server } = visited;
    await newestText(page).waitFor();
    const box = (await page.locator(".plot").boundingBox())!;
    await page.mouse.click(box.x + box.width / 2, box.y + 30);
    await page.locator(".chip.chosen", { hasText: /\d\d:\d\d:\d\d/ }).waitFor();
    await page.locator(".readout", { hasText: "memory of" }).waitFor();
    await page.getByLabel("Question").fill("What was it?");
    await page.keyboard.press("Enter");
    await page.locator(".answer-text").waitFor();
    const asked = server.received.findLast((message) => message.type === "ask");
    const age_ms = Date.now() - Date.parse(asked?.at ?? "");
    expect(age_ms).toBeGreaterThan(280_000);
    expect(age_ms).toBeLessThan(320_000);
    await page.waitForFunction(() => location.hash.includes("?at="));
    await page.getByRole("button", { name: "Ask about now instead" }).click();
    await page.getByText("about now", { exact: true }).waitFor();
  });

  case_("moves through the past by keys and says where it is", async () => {
    await using visited = await visit({ hash: door });
    const { page } = visited;
    await newestText(page).waitFor();
    const slider = page.getByRole("slider", { name: "Moment to ask about" });
    await slider.focus();
    expect(await slider.getAttribute("aria-valuetext")).toBe("now");
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowLeft");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^\d\d:\d\d:\d\d, (19|20|21) s ago/);
    await page.keyboard.press("PageUp");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/ago: [A-Z]/);
    await page.keyboard.press("Home");
    await page.locator(".readout", { hasText: "memory of" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await slider.getAttribute("aria-valuetext")).toBe("now");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("question");
  });

  case_("holds the feed, counts what waits, and goes on without a gap", async () => {
    await using visited = await visit({ hash: door });
    const { page, server } = visited;
    await newestText(page).waitFor();
    const before = await captionSeqs(page);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    for (let i = 0; i < 3; i++) server.say("front-door");
    await page.getByRole("button", { name: "3 new. Resume" }).waitFor();
    expect(await captionSeqs(page)).toEqual(before);
    await page.getByRole("button", { name: "3 new. Resume" }).click();
    await page.locator(`.caption[data-seq="${before.at(-1)! + 3}"]`).waitFor();
    expectWhole(await captionSeqs(page));
  });

  case_("holds the feed when a person scrolls back, and loads older captions", async () => {
    await using visited = await visit({ hash: door });
    const { page, server } = visited;
    await newestText(page).waitFor();
    await page.locator(".log").hover();
    await page.mouse.wheel(0, -400);
    await page.getByRole("button", { name: "Held. Resume" }).waitFor();
    server.say("front-door");
    await page.getByRole("button", { name: "1 new. Resume" }).waitFor();
    const oldest = (await captionSeqs(page))[0];
    await page.getByRole("button", { name: "Load older" }).click();
    await page.locator(`.caption[data-seq="${oldest - 50}"]`).waitFor();
    expectWhole(await captionSeqs(page));
  });

  case_("resumes behind the last caption after a lost socket: no gap, no repeat", async () => {
    await using visited = await visit({ hash: door });
    const { page, server, complaints } = visited;
    await newestText(page).waitFor();
    const last = (await captionSeqs(page)).at(-1)!;
    server.dropSockets();
    await page.locator(".connection", { hasText: "Reconnecting" }).waitFor();
    for (let i = 0; i < 4; i++) server.say("front-door");
    await page.locator(".connection", { hasText: "Connected" }).waitFor();
    await page.locator(`.caption[data-seq="${last + 4}"]`).waitFor();
    const subs = server.received.filter((message) =>
      message.type === "sub" && message.stream === "front-door"
    );
    expect(subs.at(-1)).toMatchObject({ after_seq: last });
    expectWhole(await captionSeqs(page));
    expect(complaints).toEqual([]);
  });

  case_("searches the whole log", async () => {
    await using visited = await visit({ hash: door });
    const { page } = visited;
    await page.getByLabel("Search captions").fill("parcel");
    await page.getByText(/captions with these words/).waitFor();
    await page.locator(".caption mark", { hasText: /^parcel$/ }).first().waitFor();
    await page.getByLabel("Search captions").fill("submarine");
    await page.getByText("No caption has these words.").waitFor();
    const exports = page.locator(".menu a");
    expect(await exports.evaluateAll((links) => links.map((link) => link.getAttribute("href")))).toEqual(
      ["vtt", "srt", "jsonl"].map((kind) => `/api/v1/streams/front-door/captions.${kind}`),
    );
  });

  case_("draws the proof: flat state, flow with losses that add up", async () => {
    await using visited = await visit({ hash: door });
    const { page } = visited;
    const proof = page.locator(".proof");
    await proof.getByText("replaced by newer").first().waitFor();
    await proof.getByText("3.3 MiB").first().waitFor();
    await proof.getByText("The same after 2 h").first().waitFor();
    expect(await proof.locator(".stage").count()).toBe(6);
  });

  case_("pauses, edits and deletes a stream, asking first", async () => {
    await using visited = await visit({ hash: door });
    const { page, server } = visited;
    const head = page.locator(".stream-head");
    await head.getByRole("button", { name: "Pause Front door" }).click();
    await head.getByRole("button", { name: "Resume Front door" }).waitFor();
    await head.getByRole("button", { name: "Edit Front door" }).click();
    await page.getByLabel("Name").fill("Main door");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Main door" }).waitFor();
    expect(server.streams.get("front-door")?.view.source).toMatchObject({ url: "rtsp://door.local:554/…" });
    await head.getByRole("button", { name: "Delete Main door" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect(server.streams.size).toBe(3);
    await head.getByRole("button", { name: "Delete Main door" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText('"Main door" was deleted.').waitFor();
    expect(server.streams.size).toBe(2);
  });

  case_("adds a stream with the keyboard alone: a failed test, a full server, then it works", async () => {
    await using visited = await visit();
    const { page, server } = visited;
    await page.getByRole("link", { name: /Front door/ }).waitFor();
    await page.getByRole("button", { name: "Add a stream" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "stream-url");
    await page.keyboard.type("rtsp://nowhere.local/1");
    await tabTo(page, "Test");
    await page.keyboard.press("Enter");
    await page.getByText("It does not open: connection refused.").waitFor();
    await tabTo(page, "Name", "Shift+Tab");
    await page.keyboard.type("full");
    await page.keyboard.press("Enter");
    await page.getByText("Cannot add a stream: 16 of 16 run.").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Gate");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Gate" }).waitFor();
    expect(server.streams.get("gate")?.view.source).toEqual({ kind: "pull", url: "rtsp://nowhere.local/1" });
  });

  case_("keeps strangers at the door until they show the token", async () => {
    await using visited = await visit({ token: "open sesame" });
    const { page } = visited;
    await page.getByLabel("Access token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Cannot sign in").waitFor();
    await page.getByLabel("Access token").fill("open sesame");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: /Front door/ }).waitFor();
  });
});

/** Presses a key until the control of that name has the focus. */
async function tabTo(page: Page, name: string, key = "Tab"): Promise<void> {
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press(key);
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return element?.labels?.[0]?.textContent ?? element?.textContent;
    });
    if (focused?.trim() === name) return;
  }
  throw new Error(`"${name}" cannot be reached with ${key}`);
}
