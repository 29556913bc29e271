// Checks of accessibility that a program can make: every control has a name, text can be read against its ground.
import type { Page } from "playwright-core";

/** Controls that a person can reach but that have no name for a screen reader. */
export async function namelessControls(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const nameOf = (element: Element): string => {
      const ids = element.getAttribute("aria-labelledby")?.split(" ") ?? [];
      const labelled = ids.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
      const labels = [...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent).join(
        " ",
      );
      const image = element.querySelector("img[alt]")?.getAttribute("alt") ?? "";
      return [element.getAttribute("aria-label"), labelled, labels, element.textContent, image].join(" ")
        .trim();
    };
    const reachable =
      "a[href], button, input, select, textarea, summary, [tabindex='0'], [role='slider'], canvas";
    return [...document.querySelectorAll(reachable)].filter((element) => nameOf(element) === "").map((
      element,
    ) => element.outerHTML.slice(0, 120));
  });
}

/** Text whose contrast is under WCAG AA (4.5, large text 3), as "ratio text". Text over pictures is left out. */
export async function faintTexts(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const rgbaOf = (colour: string) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]: number[]) => {
      const [x, y, z] = [r, g, b].map((value) => value / 255).map((value) =>
        value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
      );
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const groundOf = (start: Element | null): number[] => {
      for (let element = start; element; element = element.parentElement) {
        const ground = rgbaOf(getComputedStyle(element).backgroundColor);
        if (ground[3] === 255) return ground;
      }
      return [255, 255, 255, 255];
    };
    const faint = new Set<string>();
    for (const element of document.querySelectorAll<HTMLElement>("body *")) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      const style = getComputedStyle(element);
      const shown = element.checkVisibility({ opacityProperty: true }) && element.getClientRects().length > 0;
      const off = (element.closest("button") as HTMLButtonElement | null)?.disabled;
      if (!own || !shown || off || element.closest(".picture, noscript, .visually-hidden, .skip")) continue;
      const [light, dark] = [luminance(rgbaOf(style.color)), luminance(groundOf(element))].sort((a, b) =>
        b - a
      );
      const ratio = (light + 0.05) / (dark + 0.05);
      const large = parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 600;
      if (ratio < (large ? 3 : 4.5)) {
        faint.add(`${ratio.toFixed(2)} ${element.textContent?.trim().slice(0, 40)}`);
      }
    }
    return [...faint];
  });
}

/** Ids that more than one element has. */
export async function doubledIds(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  });
}
