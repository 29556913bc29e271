// Makes the toy LLaVA set of this folder: coloured shapes as tiny PNG and JPEG files, and questions about them. Run again
// only to change the set: `deno run -A tests/train/data/make_toy.ts` (JPEGs need ffmpeg). Must not know training.
import { crc32, deflateSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const side_px = 32;
const grid = 4; // samples per pixel and direction
const colours = {
  red: [220, 40, 40],
  green: [40, 170, 60],
  blue: [50, 80, 220],
  yellow: [240, 210, 40],
} as const;
const grounds = { white: [250, 250, 250], black: [15, 15, 20] } as const;
/** Whether a point, in -1..1, is inside. */
const shapes = {
  circle: (x: number, y: number) => x * x + y * y < 0.5,
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) < 0.6,
  triangle: (x: number, y: number) => y < 0.6 && y > 2 * Math.abs(x) - 0.7,
  cross: (x: number, y: number) =>
    Math.min(Math.abs(x), Math.abs(y)) < 0.2 && Math.max(Math.abs(x), Math.abs(y)) < 0.7,
};
type Colour = keyof typeof colours;
type Shape = keyof typeof shapes;
type Ground = keyof typeof grounds;

const pictures: [Colour, Shape, Ground, "png" | "jpg"][] = [
  ["red", "circle", "white", "png"],
  ["green", "square", "white", "png"],
  ["blue", "triangle", "white", "png"],
  ["yellow", "cross", "black", "png"],
  ["red", "square", "black", "jpg"],
  ["green", "circle", "black", "png"],
  ["blue", "cross", "white", "jpg"],
  ["yellow", "triangle", "black", "png"],
  ["blue", "circle", "black", "jpg"],
  ["red", "cross", "white", "png"],
  ["yellow", "square", "black", "png"],
  ["green", "triangle", "white", "jpg"],
];

function draw(colour: Colour, shape: Shape, ground: Ground): Uint8Array {
  const rgb = new Uint8Array(side_px ** 2 * 3);
  for (let pixel = 0; pixel < side_px ** 2; pixel++) {
    let inside = 0;
    for (let sample = 0; sample < grid * grid; sample++) {
      const at = (whole: number, part: number) => 2 * (whole + (part + 0.5) / grid) / side_px - 1;
      const x = at(pixel % side_px, sample % grid);
      const y = at(Math.floor(pixel / side_px), Math.floor(sample / grid));
      if (shapes[shape](x, y)) inside++;
    }
    const share = inside / (grid * grid);
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = Math.round(
        share * colours[colour][channel]! + (1 - share) * grounds[ground][channel]!,
      );
    }
  }
  return rgb;
}

function png(rgb: Uint8Array): Uint8Array {
  const chunk = (name: string, data: Uint8Array) => {
    const bytes = new Uint8Array(12 + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, data.length);
    bytes.set(new TextEncoder().encode(name), 4);
    bytes.set(data, 8);
    view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
    return bytes;
  };
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, side_px);
  new DataView(head.buffer).setUint32(4, side_px);
  head.set([8, 2], 8); // 8 bits, RGB
  const rows = new Uint8Array(side_px * (side_px * 3 + 1)); // each begins with filter 0
  for (let y = 0; y < side_px; y++) {
    rows.set(rgb.subarray(y * side_px * 3, (y + 1) * side_px * 3), y * (side_px * 3 + 1) + 1);
  }
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function jpeg(bytes: Uint8Array, path: string): Promise<void> {
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-y", "-f", "png_pipe", "-i", "-", "-bitexact", "-q:v", "4", "-f", "image2", path],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  if (!(await child.status).success) throw new Error(`ffmpeg cannot write ${path}`);
}

const folder = fileURLToPath(new URL("toy/", import.meta.url));
await Deno.mkdir(folder, { recursive: true });
const said = (...texts: string[]) =>
  texts.map((value, index) => ({ from: index % 2 === 0 ? "human" : "gpt", value }));
const short = "Answer the question using a single word or phrase.";
const rows: unknown[] = [];
for (const [index, [colour, shape, ground, kind]] of pictures.entries()) {
  const name = `${colour}_${shape}.${kind}`;
  const bytes = png(draw(colour, shape, ground));
  if (kind === "png") await Deno.writeFile(`${folder}${name}`, bytes);
  else await jpeg(bytes, `${folder}${name}`);
  const turns = [
    [`What colour is the shape?\n${short}`, colour],
    [`Which shape is it?\n${short}`, shape],
    ["Describe the picture.", `A ${colour} ${shape} on a ${ground} ground.`],
  ];
  // Every sample begins with another question.
  const asked = turns.map((_, turn) => turns[(turn + index) % turns.length]!);
  asked[0]![0] = index % 2 === 0 ? `<image>\n${asked[0]![0]}` : `${asked[0]![0]}\n<image>`;
  rows.push({ id: String(index), image: name, conversations: said(...asked.flat()) });
}
rows.push(
  {
    id: "two",
    image: ["red_circle.png", "green_square.png"],
    conversations: said("<image>\n<image>\nWhich shapes are they?", "A circle and a square."),
  },
  {
    sample_id: "words",
    conversations: said("How many sides has a triangle?", "Three.", "And a square?", "Four."),
  },
);
await Deno.writeTextFile(
  fileURLToPath(new URL("toy.jsonl", import.meta.url)),
  rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
);
