// Where the native library lies after native/build.sh, and why tests that need it are skipped when it does not.

const names: Partial<Record<typeof Deno.build.os, string>> = { darwin: "librwkv.dylib", windows: "rwkv.dll" };

const name = names[Deno.build.os] ?? "librwkv.so";

export const library_path: string = new URL(`../../native/build/${name}`, import.meta.url).pathname;

/** Empty when the library is there. */
export const not_built: string | undefined = await Deno.stat(library_path).then(
  () => undefined,
  () => "the native library is not built; run native/build.sh",
);
