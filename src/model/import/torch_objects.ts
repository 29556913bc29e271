// What a torch state dict is made of, and the whole list of names its pickle may ask for. Owns which globals there are
// and what calling them means; docs/decisions/0009-what-a-checkpoint-may-say.md says why these.
// Must not know archives or files.
import type { PlainType } from "./checkpoint.ts";
import { quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import {
  PickleDamaged,
  PickleDict,
  type PickleHost,
  PickleObject,
  PickleRefused,
  PickleTuple,
  type PickleValue,
} from "./pickle_values.ts";
import { countElements } from "./stored_tensor.ts";

export class TorchStorage extends PickleObject {
  override readonly kind = "storage";
  constructor(readonly type: PlainType, readonly key: string, readonly elements: number) {
    super();
  }
}

/** A view of a storage. Sizes, strides and offset count elements; all lie inside the storage. */
export class TorchTensor extends PickleObject {
  override readonly kind = "tensor";
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

class StorageClass extends PickleObject {
  override readonly kind = "storage class";
  constructor(readonly type: PlainType) {
    super();
  }
}

class Callable extends PickleObject {
  override readonly kind = "function";
  constructor(readonly call: (parameters: readonly PickleValue[]) => PickleValue) {
    super();
  }
}

/** `module.name` → what it is. Nothing else is known, and nothing here can do more than describe a tensor. */
const globals = new Map<string, PickleObject>([
  ["collections.OrderedDict", new Callable(makeDict)],
  ["torch._utils._rebuild_tensor_v2", new Callable(rebuildTensor)],
  ["torch._utils._rebuild_parameter", new Callable(rebuildParameter)],
  ["torch.BFloat16Storage", new StorageClass("bf16")],
  ["torch.HalfStorage", new StorageClass("f16")],
  ["torch.FloatStorage", new StorageClass("f32")],
  ["torch.LongStorage", new StorageClass("i64")],
]);

export const torch_host: PickleHost = {
  findGlobal(module, name) {
    const found = globals.get(`${module}.${name}`);
    if (found) return found;
    throw new PickleRefused(
      `its pickle asks for ${quote(`${module}.${name}`)}, which a file of tensors has no business with`,
    );
  },
  call(global, parameters) {
    if (global instanceof Callable) return global.call(parameters);
    throw new PickleRefused(`its pickle calls a ${global.kind}`);
  },
  findPersistent(id) {
    const parts = id instanceof PickleTuple && id.items.length === 5 ? id.items : [];
    const [what, storage, key, device, elements] = parts;
    const whole = what === "storage" && storage instanceof StorageClass && typeof key === "string" &&
      key.length <= import_limits.name_chars_max && typeof device === "string" && isSize(elements);
    if (!whole) throw new PickleDamaged("its pickle has a storage that is not described as one");
    return new TorchStorage(storage.type, key, elements);
  },
  setState(object, state) {
    // state_dict() hangs a dictionary of versions on the ordered dictionary; it says nothing about the weights.
    if (!(object instanceof PickleDict && state instanceof PickleDict)) {
      throw new PickleRefused("its pickle changes an object that is no dictionary, or by what is none");
    }
  },
};

function makeDict(parameters: readonly PickleValue[]): PickleValue {
  if (parameters.length > 0) throw new PickleRefused("its pickle makes a dictionary from something");
  return new PickleDict();
}

/** (storage, offset, size, stride, requires_grad, hooks). torch 2 adds a seventh for negated and conjugated views. */
function rebuildTensor(parameters: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides, , hooks] = parameters;
  if (parameters.length === 7) throw new PickleRefused("its pickle has a tensor with extras");
  if (!(storage instanceof TorchStorage) || parameters.length !== 6) {
    throw new PickleDamaged("its pickle has a tensor without a storage");
  }
  checkHooks(hooks);
  const sizes = sizesOf(shape);
  const steps = sizesOf(strides);
  if (!sizes || !steps || sizes.length !== steps.length || !isSize(offset)) {
    throw new PickleDamaged("its pickle has a tensor without proper sizes, strides and offset");
  }
  if (countElements(sizes) === undefined) {
    throw new PickleDamaged(`its pickle has a tensor of the impossible shape [${sizes.join(", ")}]`);
  }
  return new TorchTensor(storage, offset, sizes, steps);
}

/** (tensor, requires_grad, hooks): a parameter is its tensor. */
function rebuildParameter(parameters: readonly PickleValue[]): PickleValue {
  const [tensor, , hooks] = parameters;
  if (!(tensor instanceof TorchTensor) || parameters.length !== 3) {
    throw new PickleDamaged("its pickle has a parameter without a tensor");
  }
  checkHooks(hooks);
  return tensor;
}

/** They would be code; without any, torch writes an empty ordered dictionary. */
function checkHooks(hooks: PickleValue | undefined): void {
  if (!(hooks instanceof PickleDict && hooks.entries.size === 0)) {
    throw new PickleRefused("its pickle has a tensor with hooks");
  }
}

function sizesOf(value: PickleValue | undefined): number[] | undefined {
  if (!(value instanceof PickleTuple) || value.items.length > import_limits.dimensions_max) return undefined;
  return value.items.every(isSize) ? [...value.items] : undefined;
}

function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
