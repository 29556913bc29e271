// The few signs of the page, drawn as strokes. Decoration only: every control has words of its own.

const paths = {
  plus: "M8 3v10M3 8h10",
  camera: "M2 4.5h8v7H2zM10 7l4-2v6l-4-2",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5l7 4.5-7 4.5z",
  pencil: "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3zM9 4.7L11.3 7",
  trash: "M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.8 7v3.8M9.2 7v3.8",
  expand: "M3 6V3h3M13 6V3h-3M3 10v3h3M13 10v3h-3",
  copy: "M5.5 5.5h7v8h-7zM10 5V3H3.5v7.5H5",
  clock: "M8 4.5V8l2.5 1.5M8 2.5a5.5 5.5 0 100 11 5.5 5.5 0 000-11z",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 3a4 4 0 100 8 4 4 0 000-8zM10 10l3.5 3.5",
  back: "M9.5 3.5L5 8l4.5 4.5",
  minus: "M3 8h10",
  sun:
    "M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M12.8 9.6A5.3 5.3 0 016.4 3.2a5.3 5.3 0 106.4 6.4z",
  half: "M8 2.5a5.5 5.5 0 100 11zM8 2.5a5.5 5.5 0 010 11",
  down: "M8 3v8M4.5 7.5L8 11l3.5-3.5M3 13.5h10",
  ask: "M3 3.5h10v7H7.5L4.5 13v-2.5H3z",
  stop: "M4.5 4.5h7v7h-7z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={paths[name]} class={name === "half" ? "icon-half" : undefined} />
    </svg>
  );
}
