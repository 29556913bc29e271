// Light or dark: the system's wish, or the person's, remembered on this device. Knows no component.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const order: readonly Theme[] = ["system", "light", "dark"];
const storage_key = "gander.theme";

export const theme = signal<Theme>(readTheme());

function readTheme(): Theme {
  try {
    const stored = localStorage.getItem(storage_key) as Theme | null;
    return stored && order.includes(stored) ? stored : "system";
  } catch {
    return "system"; // storage is forbidden here: the choice lasts as long as the page
  }
}

export function showTheme(): void {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

export function nextTheme(): void {
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length];
  showTheme();
  try {
    localStorage.setItem(storage_key, theme.value);
  } catch {
    // as above: not remembered, still shown
  }
}
