// The contract on the fake engine: what tests and UI work rely on must obey the laws of the real one.
import { FakeEngine } from "../../src/pipeline/fake_engine.ts";
import { engineContract } from "./engine_contract.ts";

engineContract("fake", ({ states_max }) => Promise.resolve(new FakeEngine(states_max)));
