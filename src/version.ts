// The version people see. deno.json carries the same one; tests/tidy checks it.
export const version = "0.1.0";
