// What a torch state dict is made of, and the whole list of names its pickle may ask for. Owns which globals there are
// and what calling them means. Must not know archives or files.
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
  constructor(readonly type: PlainType | "bytes", readonly key: string, readonly elements: number) {
    super();
  }
}

/** A view of a storage. Sizes, strides and offset count elements; all lie inside the storage. */
export class TorchTensor extends PickleObject {
  override readonly kind = "tensor";
  constructor(
    readonly storage: TorchStorage,
    readonly type: PlainType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

class StorageClass extends PickleObject {
  override readonly kind = "storage class";
  constructor(readonly type: PlainType | "bytes") {
    super();
  }
}

class TorchType extends PickleObject {
  override readonly kind = "type";
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

const element_types: readonly (readonly [string, string, PlainType])[] = [
  ["BFloat16Storage", "bfloat16", "bf16"],
  ["HalfStorage", "float16", "f16"],
  ["FloatStorage", "float32", "f32"],
  ["DoubleStorage", "float64", "f64"],
  ["LongStorage", "int64", "i64"],
  ["IntStorage", "int32", "i32"],
  ["ShortStorage", "int16", "i16"],
  ["CharStorage", "int8", "i8"],
  ["ByteStorage", "uint8", "u8"],
  ["BoolStorage", "bool", "bool"],
];

/** `module.name` → what it is. Nothing else is known, and nothing here can do more than describe a tensor. */
const globals = new Map<string, PickleObject>([
  ["collections.OrderedDict", new Callable(makeDict)],
  ["torch._utils._rebuild_tensor_v2", new Callable(rebuildTensor)],
  ["torch._utils._rebuild_tensor_v3", new Callable(rebuildTypedTensor)],
  ["torch._utils._rebuild_parameter", new Callable(rebuildParameter)],
  // torch 2 knows storages without a type: bytes, and the tensor says what they are.
  ["torch.storage.UntypedStorage", new StorageClass("bytes")],
  ["torch.UntypedStorage", new StorageClass("bytes")],
  ...element_types.flatMap(([storage, name, type]): [string, PickleObject][] => [
    [`torch.${storage}`, new StorageClass(type)],
    [`torch.${name}`, new TorchType(type)],
  ]),
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
    const [what, storage, key, device, elements] = id instanceof PickleTuple ? id.items : [];
    const whole = what === "storage" && storage instanceof StorageClass && typeof key === "string" &&
      typeof device === "string" && isSize(elements);
    if (!whole) throw new PickleDamaged("its pickle has a storage that is not described as one");
    return new TorchStorage(storage.type, key, elements);
  },
  setState(object) {
    // state_dict() hangs a dictionary of versions on the ordered dictionary; it says nothing about the weights.
    if (!(object instanceof PickleDict)) {
      throw new PickleRefused("its pickle changes an object that is no dictionary");
    }
  },
};

function makeDict(parameters: readonly PickleValue[]): PickleValue {
  if (parameters.length > 0) throw new PickleRefused("its pickle makes a dictionary from something");
  return new PickleDict();
}

/** (storage, offset, size, stride, requires_grad, hooks, and in torch 2 optional metadata) */
function rebuildTensor(parameters: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides, , hooks, metadata = null] = parameters;
  if (!(storage instanceof TorchStorage) || parameters.length < 6 || parameters.length > 7) {
    throw new PickleDamaged("its pickle has a tensor without a storage");
  }
  if (storage.type === "bytes") throw new PickleRefused("its pickle has a tensor whose type is not said");
  checkPlain(hooks, metadata);
  return makeTensor(storage, storage.type, offset, shape, strides);
}

/** (storage, offset, size, stride, requires_grad, hooks, type, optional metadata) */
function rebuildTypedTensor(parameters: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides, , hooks, type, metadata = null] = parameters;
  if (!(storage instanceof TorchStorage) || !(type instanceof TorchType) || parameters.length > 8) {
    throw new PickleDamaged("its pickle has a tensor without a storage or a type");
  }
  checkPlain(hooks, metadata);
  return makeTensor(storage, type.type, offset, shape, strides);
}

/** (tensor, requires_grad, hooks): a parameter is its tensor. */
function rebuildParameter(parameters: readonly PickleValue[]): PickleValue {
  const [tensor, , hooks] = parameters;
  if (!(tensor instanceof TorchTensor) || parameters.length !== 3) {
    throw new PickleDamaged("its pickle has a parameter without a tensor");
  }
  checkPlain(hooks, null);
  return tensor;
}

/** Hooks would be code, and metadata a negated or conjugated view. */
function checkPlain(hooks: PickleValue | undefined, metadata: PickleValue): void {
  const isEmpty = (value?: PickleValue) => value instanceof PickleDict && value.entries.size === 0;
  if (!(isEmpty(hooks) || hooks === null)) throw new PickleRefused("its pickle has a tensor with hooks");
  if (!(metadata === null || isEmpty(metadata))) {
    throw new PickleRefused("its pickle has a tensor with extras");
  }
}

function makeTensor(
  storage: TorchStorage,
  type: PlainType,
  offset: PickleValue | undefined,
  shape: PickleValue | undefined,
  strides: PickleValue | undefined,
): TorchTensor {
  const sizes = sizesOf(shape);
  const steps = sizesOf(strides);
  if (!sizes || !steps || sizes.length !== steps.length || !isSize(offset)) {
    throw new PickleDamaged("its pickle has a tensor without proper sizes, strides and offset");
  }
  if (countElements(sizes) === undefined) {
    throw new PickleDamaged(`its pickle has a tensor of the impossible shape [${sizes.join(", ")}]`);
  }
  return new TorchTensor(storage, type, offset, sizes, steps);
}

function sizesOf(value: PickleValue | undefined): number[] | undefined {
  if (!(value instanceof PickleTuple) || value.items.length > import_limits.dimensions_max) return undefined;
  return value.items.every(isSize) ? [...value.items] : undefined;
}

function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
