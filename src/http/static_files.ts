// The built dashboard from one folder: right types, right caching, nothing outside the folder. Without a build, a page
// that says how to make one. Must not know what the files are.
import { extname, join } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
};

/** Names with a hash of the content (eight characters or more, as Vite writes them) never change. */
const hashed = /^\/assets\/[^/]*[-.][A-Za-z0-9_-]{8,}\.\w+$/;

const not_built_page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gander</title>
<h1>Gander is running; its dashboard is not built</h1>
<p>Build it once, then reload this page:</p>
<pre>deno task build:web</pre>
<p>The interface for programs is described at <a href="/docs">/docs</a>.</p>
</html>
`;

export interface StaticFile {
  body: BodyInit;
  headers: Record<string, string>;
}

/** The file for a decoded path, or undefined when there is none that may be shown. */
export async function readStaticFile(dir: string | undefined, path: string): Promise<StaticFile | undefined> {
  const name = path === "/" ? "/index.html" : path;
  const type = types[extname(name)];
  const segments = name.split("/").slice(1);
  // No "..", no hidden files, no empty segment, no other separators, no NUL: then join() stays inside.
  const plain = segments.every((segment) => /^[^./\\\0:][^/\\\0:]*$/.test(segment));
  if (type && plain && dir !== undefined) {
    const body = await readInside(dir, join(dir, ...segments));
    const caching = hashed.test(name) ? "public, max-age=31536000, immutable" : "no-cache";
    if (body) return { body, headers: { "content-type": type, "cache-control": caching } };
  }
  if (name !== "/index.html") return undefined;
  return { body: not_built_page, headers: { "content-type": types[".html"], "cache-control": "no-store" } };
}

/** Links are followed only to files that are inside as well. */
async function readInside(dir: string, file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const [real_dir, real_file] = await Promise.all([Deno.realPath(dir), Deno.realPath(file)]);
    if (!real_file.startsWith(join(real_dir, "/"))) return undefined;
    return await Deno.readFile(real_file);
  } catch (error) {
    // A folder, a missing file or one we may not read: for the visitor it is not there.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.IsADirectory) {
      return undefined;
    }
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
