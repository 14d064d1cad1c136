import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `PENSTOCK_URL` names the broker that `npm run dev` passes calls on to. */
const broker = process.env["PENSTOCK_URL"] ?? "https://localhost:8443";

export default defineConfig({
  plugins: [react()],
  // The broker names the way from each page to the assets, so that a proxy may put a path in front.
  base: "./",
  build: {
    outDir: "target/web",
    emptyOutDir: true,
    // Nothing as data: URLs, which the Content-Security-Policy would have to let in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 700,
    rolldownOptions: { output: { assetFileNames: "assets/[name]-[hash][extname]" } },
  },
  server: { proxy: { "/api": { target: broker, secure: false, changeOrigin: true } } },
});
