// The composition root: config → store → native engine → vision → language → sources → service → server. This is
// where the rooms' shapes are checked against the pipeline's ports. It wires; it decides nothing.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEngine } from "../ffi/mod.ts";
import { decodePicture } from "../streams/mod.ts";
import { openPolicy } from "./bundle_policy.ts";
import { openBundleVision } from "./bundle_vision.ts";
import type { Compose, Gander } from "./cli/commands.ts";
import { openLog } from "./cli/io.ts";
import { system_clock } from "./clock.ts";
import { type Config, readConfig } from "./config.ts";
import { checkBind, isLoopback, serveHttp } from "./http/mod.ts";
import { ConfigError, RequestError } from "./errors.ts";
import type { Log } from "./log.ts";
import { readBundle } from "./model/bundle.ts";
import { openLanguage } from "./model/language.ts";
import type { Engine, Language, Vision } from "./pipeline/ports.ts";
import { PagedEngine } from "./pipeline/paged_engine.ts";
import { countStates } from "./pipeline/policy.ts";
import { Pump } from "./pipeline/pump.ts";
import { Service } from "./pipeline/service.ts";
import { ensureSeedBundle } from "./seed/seed_bundle.ts";
import type { SeedVariant } from "./seed/seed_variants.ts";
import { keepTidy } from "./retention.ts";
import { createSources } from "./sources.ts";
import { openStore, PageFile, type SqliteStore } from "./store/mod.ts";
import { version } from "./version.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
export const library_path: string = join(root, "native/build/librwkv.so");
export const train_library_path: string = join(root, "native/train/build/librwkv_train.so");
export const static_dir: string = join(root, "web/dist");
/** Pictures for the synthetic world: fetched for development, never committed. */
export const art_folders = {
  packages_dir: join(root, ".tools/art"),
  sprites_dir: join(root, ".gander/art"),
};

export function loadConfig(file: string | undefined, flags: Record<string, unknown>): Config {
  const path = file ?? Deno.env.get("GANDER_CONFIG");
  // The first two name files for other rooms, the third is a switch of the tests; they are no options.
  const { GANDER_CONFIG: _config, GANDER_FFMPEG: _ffmpeg, GANDER_TEST_LARGE: _large, ...environment } = Deno
    .env.toObject();
  return readConfig({
    file: path === undefined ? undefined : { path, text: Deno.readTextFileSync(path) },
    environment,
    flags,
    readTextFile: (name) => Deno.readTextFileSync(name),
  });
}

/**
 * Folder of a model that comes with Gander. "pond" is trained and lies in the repository; the others are made on first
 * use, from a seed, in well under a second.
 */
export async function builtinBundle(variant: "pond" | SeedVariant = "pond"): Promise<string> {
  if (variant === "pond") return join(root, "models/gander-pond");
  return await ensureSeedBundle(join(root, ".gander/bundles"), variant);
}

/** The folder that the option `bundle` means. */
export async function resolveBundle({ bundle }: Pick<Config, "bundle">): Promise<string> {
  if (bundle === "builtin") return await builtinBundle();
  if (bundle === "builtin-seed") return await builtinBundle("seed");
  return bundle === "builtin-tiny" ? await builtinBundle("tiny") : bundle;
}

async function openModel(config: Config, log: Log) {
  const dir = await resolveBundle(config);
  const bundle = await readBundle(dir);
  const { manifest } = bundle;
  if (!manifest.vision || !bundle.vision_path) {
    throw new RequestError("model_text_only", `Cannot watch with bundle "${dir}": it has no vision tower`);
  }
  // What is quickly refused comes before what takes long to load.
  const language = await openLanguage(bundle);
  const policy = openPolicy(manifest, config, language.pictures);
  const engine = await openEngine({
    library_path,
    device: config.device,
    weights_path: bundle.weights_path,
    states_max: Math.min(countStates(manifest.policy, config.streams_max), config.states_resident_max),
    threads: config.engine_threads,
    format: config.engine_format,
  });
  const vision = (await openBundleVision(bundle, {
    library_path,
    device: config.device,
    engine_threads: config.engine_threads,
    threads: config.vision_threads,
    log: (line) => log.info("vision", { line }),
  }))!;
  return { bundle, manifest, engine, vision, language, policy };
}

export const compose: Compose = async ({ file, flags, file_roots }, io): Promise<Gander> => {
  const config = loadConfig(file, flags);
  const log = openLog(io, config);
  const clock = system_clock;
  checkBind(config.host, config.token);
  const loopback = isLoopback(config.host);
  // The model first: what is wrong with it must not leave an open store behind.
  const model = await openModel(config, log);
  const closeModel = async () => {
    await model.vision.close();
    await model.engine.close();
  };
  let store: SqliteStore;
  try {
    store = openStore({ data_dir: config.data_dir, fsync: config.fsync, log, clock });
  } catch (error) {
    await closeModel();
    throw error;
  }
  const { manifest, vision } = model;
  const states_max = countStates(manifest.policy, config.streams_max);
  const paging = states_max > model.engine.info.states_max
    ? new PageFile(config.data_dir, model.engine.info.blob_bytes)
    : undefined;
  const engine: Engine = paging ? new PagedEngine(model.engine, paging, states_max) : model.engine;
  const language: Language = model.language;
  const sources = createSources({
    policy: {
      allow_files: (config.sources_files === "auto" ? loopback : config.sources_files === "yes") ||
        (file_roots ?? false),
      allow_loopback: config.sources_loopback === "auto" ? loopback : config.sources_loopback === "yes",
      allow_private: config.sources_private,
      verify_tls: config.sources_verify_tls,
    },
    log,
    clock,
  });
  const service = new Service(
    {
      name: manifest.name,
      policy: manifest.policy,
      trained: manifest.trained,
      fake: false,
      limits_note: manifest.limits_note,
      device: engine.info.device,
      rwkv_version: engine.info.rwkv_version,
      width: engine.info.width,
      layers: engine.info.layers,
      vectors_per_frame: vision.vectors_per_frame,
      state_bytes: engine.info.state_bytes,
      model_hash: engine.info.model_hash,
    },
    {
      engine,
      pump: new Pump(engine, clock),
      vision: vision satisfies Vision,
      language,
      store,
      sources,
      clock,
      log,
      tick_rate_hz: manifest.tick.rate_hz,
      chat: { pictures: model.language.pictures, decoder: { decode: decodePicture } },
      policy: model.policy,
      snapshot_numbers: config.snapshot_numbers,
      fit: manifest.vision!.fit,
    },
    { streams_max: config.streams_max },
  );
  const closing = new AbortController();
  const tidying = keepTidy({
    keep_days: config.keep_days,
    streams: () => store.loadStreams().map(({ id }) => id),
    prune: (stream, before) => store.prune(stream, before),
    clock,
    log,
  }, closing.signal);
  return {
    config,
    service,
    clock,
    log,
    open: (options) => service.open(options),
    serve: async ({ any_port = false } = {}) => {
      const options = { surface: service, ...config, static_dir, version, clock, log };
      try {
        return await serveHttp(options);
      } catch (error) {
        // A demo must come up beside a running service; a service must not move silently.
        if (!any_port || !(error instanceof ConfigError)) throw error;
        return await serveHttp({ ...options, port: 0 });
      }
    },
    close: async () => {
      closing.abort();
      await tidying;
      await service.close();
      await closeModel();
      paging?.[Symbol.dispose]();
      await store.close();
    },
  };
};
