import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { SessionProvider } from "./auth/session";
import { applyTheme, storedTheme } from "./parts/theme";
import { router } from "./routes";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/shell.css";
import "./styles/pages.css";

applyTheme(storedTheme());

// Its address goes on from the page's, which changes: a browser that looks again is to find it.
const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
icon?.setAttribute("href", icon.href);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What is away may come back; what was refused stays refused.
      retry: (failures, error) =>
        error instanceof ApiError ? error.retryAfterSeconds === 1 && failures < 3 : failures < 2,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4_000),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no place for the console");
}
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SessionProvider>
        <RouterProvider router={router} />
      </SessionProvider>
    </QueryClientProvider>
  </StrictMode>,
);
