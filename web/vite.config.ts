// How the dashboard is bundled. Nothing is inlined, so that the page runs under `default-src 'self'`.
import { defineConfig } from "vite";
import preact from "@preact/preset-vite";

const server_url = "http://127.0.0.1:8088";

export default defineConfig({
  plugins: [preact({ reactAliasesEnabled: false })],
  base: "./",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": server_url, "/ws": { target: server_url, ws: true } } },
});
