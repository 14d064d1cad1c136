import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Search } from "../routes";

/** What the URL says after the `?`; a change replaces it, so that Back leaves the page. */
export function useUrl(): readonly [Search, (changes: Record<string, string | undefined>) => void] {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Record<string, string | undefined>) => {
      void navigate({
        to: ".",
        search: (old: Record<string, unknown>) => ({ ...old, ...changes }) as never,
        replace: true,
      });
    },
    [navigate],
  );
  return [search, change];
}
