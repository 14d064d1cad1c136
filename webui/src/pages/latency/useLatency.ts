import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { optional } from "../../api/client";
import { useLive } from "../../live/live";
import type { Hops, Latency, SeriesList } from "../../live/types";
import { queryOf, rangeOf, type Range } from "./range";
import type { Search } from "../../routes";

const TICK_MS = 4_000;

/** A range that moves while it is looked at, unless it is paused. */
export function useRange(search: Search): Range {
  const { paused } = useLive();
  const [now, setNow] = useState(Date.now);
  const range = rangeOf(search, now);
  useEffect(() => {
    if (!range.moving || paused) {
      return;
    }
    const timer = setInterval(() => {
      setNow(Date.now());
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, [range.moving, paused]);
  return range;
}

interface Of {
  readonly agent?: string | undefined;
  readonly system?: string | undefined;
  readonly hop?: string | undefined;
}

export function useLatency(range: Range, of: Of) {
  const query = queryOf(range, { agent: of.agent, system: of.system, hop: of.hop });
  return useQuery({
    queryKey: ["latency", query],
    queryFn: ({ signal }) => optional<Latency>(`/api/v1/latency?${query}`, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
}

export function useHops(range: Range, of: Of) {
  const query = queryOf(range, { agent: of.agent, system: of.system });
  return useQuery({
    queryKey: ["hops", query],
    queryFn: ({ signal }) => optional<Hops>(`/api/v1/latency/hops?${query}`, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
}

export function useSeries(range: Range) {
  const query = queryOf(range, {});
  return useQuery({
    queryKey: ["series", query],
    queryFn: ({ signal }) => optional<SeriesList>(`/api/v1/latency/series?${query}`, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
}
