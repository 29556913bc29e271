// A picture chat with nothing real in it: the fake engine, a decoder and a tower that a test may replace, time by hand.
import { FakeEngine } from "../../src/pipeline/fake_engine.ts";
import { FakeVision, makeFakeLanguage, makeFakePictures } from "../../src/pipeline/fake_model.ts";
import { PictureChat } from "../../src/pipeline/picture_chat.ts";
import type { Picture, PictureLanguage, Turn, Vision } from "../../src/pipeline/ports.ts";
import { Pump } from "../../src/pipeline/pump.ts";
import { Seats } from "../../src/pipeline/seats.ts";
import { ManualClock } from "./manual_clock.ts";

export const user = (text: string, ...images: number[]): Turn => ({ role: "user", text, images });
export const assistant = (text: string): Turn => ({ role: "assistant", text, images: [] });
export const file = (...bytes: number[]) => ({ name: `${bytes}.png`, bytes: Uint8Array.from(bytes) });
export const language = makeFakeLanguage({ answer_tokens_max: 40, stop_tokens: [] });

export interface ChatHouseOptions {
  pictures?: Partial<PictureLanguage>;
  seats?: number;
  decode?: (bytes: Uint8Array, signal?: AbortSignal) => Promise<Picture>;
  vision?: Pick<Vision, "encodePicture">;
}

export function makeChatHouse(
  { pictures, seats = 3, decode, vision = new FakeVision() }: ChatHouseOptions = {},
) {
  const clock = new ManualClock();
  const engine = new FakeEngine(8);
  const decoded: Uint8Array[] = [];
  const chat = new PictureChat({
    engine,
    openState: () => engine.open(),
    pump: new Pump(engine, clock),
    vision,
    language,
    pictures: makeFakePictures(pictures),
    decoder: {
      decode(bytes, { signal }) {
        decoded.push(bytes);
        if (decode) return decode(bytes, signal);
        return Promise.resolve({ rgb: bytes.slice(0, 3), width_px: bytes[0]!, height_px: bytes.length });
      },
    },
    clock,
    seats: new Seats(seats),
  });
  return { clock, engine, chat, decoded };
}

export const vector = (...values: number[]) => Float32Array.from({ length: 8 }, (_, at) => values[at] ?? 0);
