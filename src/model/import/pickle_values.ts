// What a pickle can hold for us, and the two ways in which one can be wrong. Must not know bytes or torch.

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}
export class PickleDict {
  readonly entries = new Map<string, PickleValue>();
}
/** What the host makes: a global it knows, a storage, a tensor. */
export abstract class PickleObject {
  abstract readonly kind: string;
}
export type PickleValue =
  | boolean
  | number
  | string
  | PickleTuple
  | PickleDict
  | PickleObject;

/** Each throws PickleRefused, or PickleDamaged, or answers. */
export interface PickleHost {
  /** The name as the pickle spells it, `module.name`. */
  findGlobal(module: string, name: string): PickleObject;
  call(global: PickleObject, parameters: readonly PickleValue[]): PickleValue;
  findPersistent(id: PickleValue): PickleObject;
  /** Python's __setstate__: `object` may be changed. */
  setState(object: PickleValue, state: PickleValue): void;
}

/** The pickle is well made and wants what a file of tensors has no business with. */
export class PickleRefused extends Error {}
/** The bytes are no pickle. */
export class PickleDamaged extends Error {}
