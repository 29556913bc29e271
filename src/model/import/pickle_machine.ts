// A stack machine for the small part of Python's pickle format that torch.save writes. It makes plain data and asks
// its host about everything else; nothing is ever called by name. docs/decisions/0009-what-a-checkpoint-may-say.md has
// the list. Must not know files, tensors or torch.
import { import_limits } from "./limits.ts";
import { PickleBytes } from "./pickle_bytes.ts";
import {
  PickleDamaged,
  PickleDict,
  type PickleHost,
  PickleObject,
  PickleRefused,
  PickleTuple,
  type PickleValue,
} from "./pickle_values.ts";
import { quote } from "./import_error.ts";

/** Marks where the operands of the next collecting opcode begin. */
const mark = Symbol("mark");
/** What torch.save writes unless it is told otherwise. */
const protocol_read = 2;

/** The one object of a pickle. Time and memory are bounded by the length of `bytes` and by import_limits. */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, host: PickleHost): PickleValue {
  return new Machine(new PickleBytes(bytes), host).run();
}

class Machine {
  readonly #stack: (PickleValue | typeof mark)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #made = 0;
  #items = 0;

  constructor(readonly input: PickleBytes, readonly host: PickleHost) {}

  run(): PickleValue {
    const { input } = this;
    if (input.u8() !== 0x80) throw new PickleDamaged("its pickle does not begin with a protocol");
    const protocol = input.u8();
    if (protocol !== protocol_read) {
      throw new PickleRefused(`its pickle has protocol ${protocol}; torch writes ${protocol_read}`);
    }
    for (;;) {
      const at = input.at;
      const opcode = input.u8();
      if (opcode === 0x2e) break; // STOP
      this.#step(opcode, at);
    }
    const value = this.#pop();
    if (this.#stack.length > 0) throw new PickleDamaged("its pickle leaves objects over");
    if (input.left > 0) throw new PickleDamaged(`its pickle is followed by ${input.left} bytes`);
    return value;
  }

  #step(opcode: number, at: number): void {
    const { input } = this;
    switch (opcode) {
      case 0x28: // MARK
        return this.#push(mark);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(input.u8());
      case 0x4d: // BININT2
        return this.#push(input.u16());
      case 0x4a: // BININT
        return this.#push(input.i32());
      case 0x8a: // LONG1
        return this.#push(input.long(input.u8()));
      case 0x58: // BINUNICODE
        return this.#push(input.text(input.u32()));
      case 0x7d: // EMPTY_DICT
        return this.#make(new PickleDict());
      case 0x29: // EMPTY_TUPLE
        return this.#make(new PickleTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#make(new PickleTuple(this.#popMany(opcode - 0x84)));
      case 0x74: // TUPLE
        return this.#make(new PickleTuple(this.#popToMark()));
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x71: // BINPUT
        return this.#remember(input.u8());
      case 0x72: // LONG_BINPUT
        return this.#remember(input.u32());
      case 0x68: // BINGET
        return this.#recall(input.u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(input.u32());
      case 0x63: { // GLOBAL
        const module = input.line();
        return this.#make(this.host.findGlobal(module, input.line()));
      }
      case 0x52: { // REDUCE
        const [global, parameters] = this.#popMany(2);
        if (!(global instanceof PickleObject) || !(parameters instanceof PickleTuple)) {
          throw new PickleDamaged("its pickle calls something that is no function");
        }
        return this.#make(this.host.call(global, parameters.items));
      }
      case 0x51: // BINPERSID
        return this.#make(this.host.findPersistent(this.#pop()));
      case 0x62: { // BUILD
        const state = this.#pop();
        return this.host.setState(this.#top(), state);
      }
      default:
        throw new PickleRefused(
          `its pickle has opcode 0x${
            opcode.toString(16).padStart(2, "0")
          } at byte ${at}, which no file of tensors needs`,
        );
    }
  }

  #push(value: PickleValue | typeof mark): void {
    if (this.#stack.length >= import_limits.pickle_values_max) {
      throw new PickleRefused(`its pickle stacks more than ${import_limits.pickle_values_max} values`);
    }
    this.#stack.push(value);
  }

  #make(value: PickleValue): void {
    if (++this.#made > import_limits.pickle_values_max) {
      throw new PickleRefused(`its pickle makes more than ${import_limits.pickle_values_max} objects`);
    }
    this.#push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw new PickleDamaged("its pickle takes what it never put");
    return value;
  }

  #top(): PickleValue {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popMany(count: number): PickleValue[] {
    const values = Array.from({ length: count }, () => this.#pop());
    return values.reverse();
  }

  #popToMark(): PickleValue[] {
    const start = this.#stack.lastIndexOf(mark);
    if (start < 0) throw new PickleDamaged("its pickle takes what it never put");
    const values = this.#stack.splice(start).slice(1);
    return values as PickleValue[]; // No mark stands after the last one.
  }

  #setItems(values: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof PickleDict) || values.length % 2 !== 0) {
      throw new PickleDamaged("its pickle puts items into something that is no dictionary");
    }
    this.#items += values.length / 2;
    if (this.#items > import_limits.pickle_values_max) {
      throw new PickleRefused(
        `its pickle puts more than ${import_limits.pickle_values_max} items into dictionaries`,
      );
    }
    for (let i = 0; i < values.length; i += 2) {
      const key = values[i];
      if (typeof key !== "string") {
        throw new PickleRefused("its pickle has a dictionary with keys that are no text");
      }
      if (dict.entries.has(key)) throw new PickleDamaged(`its pickle has the key ${quote(key)} twice`);
      dict.entries.set(key, values[i + 1]!);
    }
  }

  #remember(index: number): void {
    // Numbers count up from 0 in real files. Any 32-bit ones could be chosen to collide in the map.
    if (index >= import_limits.pickle_values_max) {
      throw new PickleRefused(`its pickle remembers a value under the number ${index}`);
    }
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleDamaged("its pickle recalls what it never remembered");
    this.#push(value);
  }
}
