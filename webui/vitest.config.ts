import { defineConfig } from "vitest/config";

// Some tests change every character of a document; a busy machine needs more than the five seconds that are the default.
export default defineConfig({ test: { testTimeout: 60_000, setupFiles: ["test/page.ts"] } });
