import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { optional } from "../../api/client";
import type { TimedPoint } from "../../charts/Bands";
import { useLive, useLiveEvent, useMoving } from "../../live/live";
import type { Hops, Latency, LatencySecond, SeriesList } from "../../live/types";
import { brokerNow } from "../../api/brokerTime";
import { askedOf, LONGEST_BY_SECOND, queryOf, rangeOf, type Range } from "./range";
import { joined, withSecond } from "./seconds";
import type { Search } from "../../routes";

/** Now, by the second, as long as what is shown moves. */
export function useNow(moves = true): number {
  const moving = useMoving() && moves;
  const [now, setNow] = useState(brokerNow);
  useEffect(() => {
    if (!moving) {
      return;
    }
    const timer = setInterval(() => {
      setNow(brokerNow());
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, [moving]);
  return now;
}

/** A range that moves while it is looked at, unless it is paused or the broker is away. */
export function useRange(search: Search): Range {
  const fixed = !rangeOf(search, 0).moving;
  const now = useNow(!fixed);
  return rangeOf(search, now);
}

export interface Of {
  readonly agent?: string | undefined;
  readonly system?: string | undefined;
  readonly hop?: string | undefined;
}

/** While the next step of a range is fetched the last one stays; another system's is not shown for it. */
function isAbout(before: Latency | Hops | null | undefined, of: Of): boolean {
  return (before?.agent ?? "") === (of.agent ?? "") && (before?.system ?? "") === (of.system ?? "");
}

export function useLatency(range: Range, of: Of) {
  const query = queryOf(range, { agent: of.agent, system: of.system, hop: of.hop });
  return useQuery({
    queryKey: ["latency", query],
    queryFn: ({ signal }) => optional<Latency>(`/api/v1/latency?${query}`, signal),
    placeholderData: (before) => (before?.hop === (of.hop ?? "total") && isAbout(before, of) ? before : undefined),
    gcTime: 10_000,
  });
}

export function useHops(range: Range, of: Of) {
  const query = queryOf(askedOf(range), { agent: of.agent, system: of.system });
  return useQuery({
    queryKey: ["hops", query],
    queryFn: ({ signal }) => optional<Hops>(`/api/v1/latency/hops?${query}`, signal),
    placeholderData: (before) => (isAbout(before, of) ? before : undefined),
    gcTime: 10_000,
  });
}

export function useSeries(range: Range) {
  const query = queryOf(askedOf(range), {});
  return useQuery({
    queryKey: ["series", query],
    queryFn: ({ signal }) => optional<SeriesList>(`/api/v1/latency/series?${query}`, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
}

interface Heard {
  readonly of: string;
  /** Grows when something was missed, so that all has to be fetched anew. */
  readonly epoch: number;
  readonly seconds: readonly LatencySecond[];
}

/** The seconds that the stream tells of all calls, or of an agent's. */
export function useSeconds(of: Of, keepS: number): { readonly epoch: number; readonly seconds: readonly LatencySecond[] } {
  const { agent = "", system = "" } = of;
  const key = `${agent}/${system}`;
  const [heard, setHeard] = useState<Heard>({ of: key, epoch: 0, seconds: [] });
  useLiveEvent("latency", (second) => {
    const about =
      agent === ""
        ? second.agent === null
        : second.agent === agent && (system === "" || second.system === system);
    if (about) {
      setHeard((old) => ({
        ...old,
        of: key,
        seconds: withSecond(old.of === key ? old.seconds : [], second, keepS),
      }));
    }
  });
  const missed = () => {
    setHeard((old) => ({ of: key, epoch: old.epoch + 1, seconds: [] }));
  };
  useLiveEvent("reset", missed);
  useLiveEvent("dropped", missed);
  return heard.of === key ? heard : { epoch: heard.epoch, seconds: [] };
}

export interface Times {
  readonly latency: Latency;
  readonly points: readonly TimedPoint[];
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Whether it grows by the second. */
  readonly bySecond: boolean;
}

/**
 * The times of calls in a range: as they were kept, and where the stream tells of these very calls, from
 * now on second by second.
 */
export function useTimes(range: Range, of: Of) {
  const { state } = useLive();
  const told = of.agent === undefined || of.agent === "" ? (of.system ?? "") === "" : (of.system ?? "") !== "";
  const seconds = range.toT - range.fromT;
  const bySecond =
    range.moving && seconds <= LONGEST_BY_SECOND && told && (of.hop ?? "total") === "total" && hears(state.kind);
  const heard = useSeconds(of, LONGEST_BY_SECOND + 60);

  // Fetched once, and again when another thing is looked at or something was missed.
  const key = [of.agent, of.system, of.hop, seconds, range.moving, bySecond, heard.epoch].join("|");
  const [anchor, setAnchor] = useState({ key, range: askedOf(range) });
  if (anchor.key !== key) {
    setAnchor({ key, range: askedOf(range) });
  }
  const asked = bySecond && anchor.key === key ? anchor.range : askedOf(range);
  const { data, error, refetch } = useLatency(asked, of);
  return { data: data === null || data === undefined ? data : timesOf(data, range, asked, bySecond, heard.seconds), error, refetch };
}

/** A stream that rests goes on where it was. */
function hears(kind: string): boolean {
  return kind === "live" || kind === "waiting" || kind === "resting";
}

function timesOf(
  latency: Latency,
  range: Range,
  asked: Range,
  bySecond: boolean,
  seconds: readonly LatencySecond[],
): Times {
  if (!bySecond) {
    const { fromT: from, toT: to } = asked;
    return { latency, points: latency.points, from, to, step: latency.step_s, bySecond };
  }
  const points = joined(latency.points, latency.step_s, seconds).filter(
    (point) => point.t + (point.span ?? 1) > range.fromT,
  );
  return { latency, points, from: range.fromT, to: range.toT, step: 1, bySecond };
}
