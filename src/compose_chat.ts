// The composition root of one chat: bundle → native engine → vision → picture chat. No store, no streams, no server.
// It wires; it decides nothing but to be quick about refusals.
import { openEngine } from "../ffi/mod.ts";
import { decodePicture } from "../streams/mod.ts";
import { type BundleVision, openBundleVision } from "./bundle_vision.ts";
import { system_clock } from "./clock.ts";
import { library_path, resolveBundle } from "./compose.ts";
import type { Config } from "./config.ts";
import { RequestError } from "./errors.ts";
import type { Log } from "./log.ts";
import { type Bundle, readBundle } from "./model/bundle.ts";
import { type BundleLanguage, openLanguage } from "./model/language.ts";
import type { Manifest } from "./model/manifest.ts";
import { PictureChat } from "./pipeline/picture_chat.ts";
import type { Engine, Turn } from "./pipeline/ports.ts";
import { Pump } from "./pipeline/pump.ts";
import { Seats } from "./pipeline/seats.ts";

export interface OpenedChat extends AsyncDisposable {
  manifest: Manifest;
  chat: PictureChat;
}

export interface ChatPlan {
  bundle: Bundle;
  language: BundleLanguage;
  seeing: boolean;
}

/** What `turns` ask that the bundle cannot do is refused here, before anything large is read. */
export async function planChat(config: Config, turns: readonly Turn[]): Promise<ChatPlan> {
  const bundle = await readBundle(await resolveBundle(config));
  const { manifest } = bundle;
  const seeing = turns.some(({ images }) => images.length > 0);
  if (seeing && manifest.image === null) {
    throw new RequestError(
      "model_no_images",
      `Cannot ask "${manifest.name}" about a picture: it was not trained on any; name another with --bundle`,
    );
  }
  const language = await openLanguage(bundle);
  language.pictures.parts(turns);
  return { bundle, language, seeing };
}

/** Ready for one conversation at a time. */
export async function openChat(
  { bundle, language, seeing }: ChatPlan,
  config: Config,
  log: Log,
): Promise<OpenedChat> {
  const clock = system_clock;
  const { manifest } = bundle;
  const { device, engine_threads, vision_threads } = config;
  const own = await openEngine({
    library_path,
    device,
    weights_path: bundle.weights_path,
    states_max: 1,
    threads: engine_threads,
  });
  const engine: Engine = own;
  let vision: BundleVision | undefined;
  try {
    vision = seeing
      ? await openBundleVision(bundle, {
        ...{ library_path, device, engine_threads, threads: vision_threads },
        log: (line) => log.info("vision", { line }),
      })
      : undefined;
  } catch (error) {
    await own.close();
    throw error;
  }
  const chat = new PictureChat({
    ...{ engine, vision, language, clock },
    // Nobody else is there to wait.
    openState: () => engine.open(),
    pump: new Pump(engine, clock),
    pictures: language.pictures,
    decoder: { decode: decodePicture },
    seats: new Seats(1),
  });
  return {
    manifest,
    chat,
    [Symbol.asyncDispose]: async () => {
      await chat.close();
      await vision?.close();
      await own.close();
    },
  };
}
