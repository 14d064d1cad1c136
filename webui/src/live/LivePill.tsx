import { useEffect, useState } from "react";
import { ago, moment } from "../parts/words";
import { useLive } from "./live";

const WHY = {
  "not-offered": "This broker has no live stream for you",
  "too-many-tabs": "Other tabs have the live streams that a browser can hold",
  overloaded: "The broker has no place for another live stream",
  "held-back": "Something between here and the broker holds its live stream back",
} as const;

/** How fresh what is shown is, and the switch to hold it. */
export function LivePill() {
  const { state, paused, reachable, lookMs, pause, retryNow } = useLive();
  const now = useSeconds();
  if (!paused && (state.kind === "waiting" || !reachable)) {
    const left = state.kind === "waiting" ? Math.max(0, Math.ceil((state.retryAt - now) / 1000)) : 0;
    return (
      <button type="button" className="pill warn" onClick={retryNow} title="Try now">
        <span className="dot" />
        Reconnecting{left > 0 ? ` in ${String(left)} s` : "…"}
        {state.kind === "waiting" && <span className="muted wide-only"> · as of {ago(state.sinceAt, now)}</span>}
      </button>
    );
  }
  const seconds = String(Math.round(lookMs / 1000));
  const word =
    state.kind === "live"
      ? "Live"
      : state.kind === "polling"
        ? `Every ${seconds} s`
        : state.kind === "signed-out"
          ? "Signed out"
          : "Connecting";
  const why = state.kind === "polling" ? `${WHY[state.why]}: it is looked every ${seconds} s. ` : "";
  return (
    <button
      type="button"
      className={`pill ${paused ? "off" : state.kind === "live" ? "ok" : "info"}`}
      aria-pressed={paused}
      aria-label={paused ? "Paused. Go on" : `${word}. ${why}Pause`}
      title={paused ? "Go on (Space)" : `${why}Pause (Space)`}
      onClick={() => {
        pause(!paused);
      }}
    >
      <span className="dot" />
      {paused ? "Paused" : word}
      {paused && state.kind === "resting" && (
        <span className="muted wide-only"> · as of {moment(state.sinceAt)}</span>
      )}
    </button>
  );
}

function useSeconds(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}
