// The contract on the CPU device with the tiny RWKV-7, on one thread and on two.
import { openEngine } from "../../ffi/mod.ts";
import { library_path, not_built } from "../native/built.ts";
import { withTinyModel } from "../native/tiny_model.ts";
import { engineContract } from "./engine_contract.ts";

for (const threads of [1, 2]) {
  engineContract(
    `cpu, ${threads} thread${threads > 1 ? "s" : ""}`,
    ({ states_max }) =>
      withTinyModel((weights_path) =>
        openEngine({ library_path, device: "cpu", weights_path, states_max, threads })
      ),
    not_built,
  );
}
