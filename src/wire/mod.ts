// Everything that crosses the network, as one schema each. Runs in browser and server.
export * from "./version.ts";
export * from "./limits.ts";
export * from "./error.ts";
export * from "./stream.ts";
export * from "./caption.ts";
export * from "./rest.ts";
export * from "./watch.ts";
export * from "./publish.ts";
export * from "./push_header.ts";
export * from "./picture.ts";
