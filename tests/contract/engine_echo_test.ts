// The contract on the echo device: the whole boundary, no weights.
import { openEngine } from "../../ffi/mod.ts";
import { library_path, not_built } from "../native/built.ts";
import { engineContract } from "./engine_contract.ts";

engineContract(
  "echo",
  ({ states_max }) => openEngine({ library_path, device: "echo", states_max, threads: 1 }),
  not_built,
);
