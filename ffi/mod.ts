// The native library as TypeScript objects: what the rest of the repository may import of this room.

export { type EngineInfo, type EngineOptions, NativeEngine, openEngine } from "./engine.ts";
export { type NativeCode, NativeError, type NativeRetry } from "./errors.ts";
export { Library, openLibrary } from "./library.ts";
export {
  type ChosenToken,
  type DecodeRequest,
  NativeState,
  type SamplerSettings,
  type SpanGrid,
} from "./state.ts";
export {
  NativeTrainer,
  openTrainer,
  type TrainerInput,
  type TrainerOptions,
  type TrainerPart,
  type TrainerTensor,
} from "./trainer.ts";
export { type TrainerCode, TrainerError, type TrainerRetry } from "./trainer_errors.ts";
