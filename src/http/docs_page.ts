// /docs: one small page that draws openapi.json. Offline: no other host is asked for anything.
import type { Api } from "./api.ts";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Gander: interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/page.css">
<script type="module" src="/docs/page.js"></script>
</head>
<body><main><h1>Gander: interface</h1><p id="note">Reading <a href="/openapi.json">openapi.json</a> …</p></main></body>
</html>
`;

const style = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .3rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
pre { overflow: auto; background: #8882; padding: .6rem; border-radius: 4px; }
code { font-family: ui-monospace, monospace; }
td, th { text-align: left; padding: .1rem .8rem .1rem 0; vertical-align: top; }
`;

const script = `const make = (tag, text, ...children) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
};
const schemaOf = (content) => content && Object.entries(content).map(([type, { schema }]) =>
  make("div", "", make("p", type), make("pre", JSON.stringify(schema, null, 1))));
const main = document.querySelector("main");
const answer = await fetch("/openapi.json");
const note = document.querySelector("#note");
if (!answer.ok) {
  note.textContent = (await answer.json()).error.message;
} else {
  const doc = await answer.json();
  note.replaceChildren(doc.info.description ?? "", " Machine-readable: ", Object.assign(make("a", "openapi.json"), { href: "/openapi.json" }));
  const groups = Map.groupBy(
    Object.entries(doc.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, route]) => ({ path, method, route }))),
    ({ route }) => route.tags?.[0] ?? "other");
  for (const [group, routes] of groups) {
    main.append(make("h2", group));
    for (const { path, method, route } of routes) {
      const box = make("details", "", make("summary", "", make("b", method.toUpperCase()), make("code", path), " " + (route.summary ?? "")));
      for (const parameter of route.parameters ?? []) {
        box.append(make("p", parameter.in + " " + parameter.name + (parameter.required ? " (required)" : "") + ": " + JSON.stringify(parameter.schema)));
      }
      if (route.requestBody) box.append(make("h4", "Body"), ...schemaOf(route.requestBody.content));
      for (const [status, response] of Object.entries(route.responses)) {
        box.append(make("h4", status + " " + response.description));
        if (status < 300) box.append(...(schemaOf(response.content) ?? []));
      }
      main.append(box);
    }
  }
}
`;

const files = [
  ["/docs", "text/html; charset=utf-8", page],
  ["/docs/page.css", "text/css; charset=utf-8", style],
  ["/docs/page.js", "text/javascript; charset=utf-8", script],
] as const;

export function addDocsPage(api: Api): void {
  for (const [path, type, body] of files) {
    api.get(path, (c) => c.body(body, 200, { "content-type": type, "cache-control": "no-cache" }));
  }
}
