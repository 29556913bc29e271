// Browser login: the token once, then a cookie that scripts cannot read and other sites cannot send.
import { createRoute } from "@hono/zod-openapi";
import { getCookie, setCookie } from "hono/cookie";
import { api_prefix, login_schema, session_schema } from "../wire/mod.ts";
import { addressOf, type Api, type AppOptions, failures, jsonContent } from "./api.ts";
import { session_cookie } from "./auth.ts";
import { http_limits } from "./limits.ts";

const path = `${api_prefix}/session` as const;
const tags = ["session"];
const state = { description: "Whether a token is wanted and was shown.", ...jsonContent(session_schema) };

const show_route = createRoute({
  method: "get",
  path,
  tags,
  summary: "Is a token required, and am I signed in?",
  responses: { 200: state, ...failures(403) },
});
const login_route = createRoute({
  method: "post",
  path,
  tags,
  summary: "Sign in with the token; sets a session cookie",
  request: { body: { required: true, ...jsonContent(login_schema) } },
  responses: { 200: state, ...failures(400, 401, 403, 413, 415, 429) },
});
const logout_route = createRoute({
  method: "delete",
  path,
  tags,
  summary: "Sign out",
  responses: { 200: state, ...failures(401, 403) },
});

export function addSessionRoutes(api: Api, { auth }: AppOptions): void {
  api.openapi(show_route, (c) => {
    c.header("cache-control", "no-store");
    const signed_in = !auth.required || auth.knows(getCookie(c, session_cookie));
    return c.json({ required: auth.required, signed_in }, 200);
  });

  api.openapi(login_route, (c) => {
    if (!auth.required) return c.json({ required: false, signed_in: true }, 200);
    const id = auth.login(c.req.valid("json").token, addressOf(c));
    setCookie(c, session_cookie, id, {
      path: "/",
      httpOnly: true,
      sameSite: "Strict",
      maxAge: http_limits.session_ms / 1000,
      // The server speaks plain HTTP; the page's origin tells when a TLS proxy stands in front.
      secure: c.req.header("origin")?.startsWith("https:") ?? false,
    });
    return c.json({ required: true, signed_in: true }, 200);
  });

  api.openapi(logout_route, (c) => {
    const id = getCookie(c, session_cookie);
    if (id) auth.logout(id);
    setCookie(c, session_cookie, "", { path: "/", httpOnly: true, sameSite: "Strict", maxAge: 0 });
    return c.json({ required: auth.required, signed_in: !auth.required }, 200);
  });
}
