import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "../../api/client";
import { useCan } from "../../auth/session";
import { useLive, useLiveEvent, useMoving, useNarrowed } from "../../live/live";
import type { Pulse } from "../../live/types";
import type { Agent } from "../../live/agentPatches";
import { Ago, Badge, Button, Empty, Facts, Failure, Loading, Note } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Page, Panel } from "../../parts/Page";
import { agentQuery, messagesQuery } from "../../parts/queries";
import { useUrl } from "../../parts/search";
import { count, moment, ms, percent, plural } from "../../parts/words";
import { SystemsOf } from "../systems/SystemsOf";
import { AgentActions } from "./AgentActions";
import { EditLabels } from "./EditLabels";
import { healthOf } from "./agentState";
import { EventsOf } from "../audit/EventsOf";
import { AgentLatency } from "../latency/AgentLatency";

const TABS = ["summary", "systems", "latency", "messages", "activity"] as const;
type Tab = (typeof TABS)[number];

const FIGURES_MS = 10_000;

const TITLES: Readonly<Record<Tab, string>> = {
  summary: "Summary",
  systems: "Systems",
  latency: "Latency",
  messages: "Waiting messages",
  activity: "Activity",
};

export default function AgentPage() {
  const { agent: id = "" } = useParams({ strict: false });
  const [search, setSearch] = useUrl();
  const can = useCan();
  useNarrowed(id);
  const { data: agent, error, refetch } = useQuery({
    ...agentQuery(id),
    // Its calls and round trips of the last minutes are told by no event.
    refetchInterval: useMoving() ? FIGURES_MS : false,
  });
  const tabs = TABS.filter(
    (tab) =>
      (tab !== "activity" || can("audit:read-own")) &&
      (tab !== "latency" || can("dashboards:read")) &&
      (tab !== "systems" || can("systems:read")),
  );
  const tab = tabs.find((it) => it === search["tab"]) ?? "summary";
  const pulse = usePulse(id);
  const [labelling, setLabelling] = useState(false);

  if (error instanceof ApiError && error.status === 404) {
    return (
      <Page title={id} above={<Link to="/agents">Agents</Link>}>
        <Empty
          title="No such agent"
          action={
            <Link to="/agents" className="button plain">
              All agents
            </Link>
          }
        >
          <p>It may have been named otherwise, or you may not see it.</p>
        </Empty>
      </Page>
    );
  }
  const health = agent === undefined ? undefined : healthOf(agent);
  return (
    <Page
      title={id}
      above={<Link to="/agents">Agents</Link>}
      beside={agent !== undefined && <AgentActions agent={agent} />}
    >
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {agent === undefined || health === undefined ? (
        error === null && <Loading />
      ) : (
        <>
          <div className="state-line">
            <Badge tone={health.tone}>{health.word}</Badge>
            <span>
              Site <strong>{agent.site}</strong>
            </span>
            {agent.online && (
              <span>
                {plural(agent.tunnels, "tunnel")} from <span className="mono">{agent.remote_ip}</span>
              </span>
            )}
            {agent.undelivered > 0 && <span>{plural(agent.undelivered, "message")} waiting</span>}
          </div>
          {health.next !== "" && <Note kind={health.tone}>{health.next}</Note>}
          <nav className="tabs" aria-label={`Parts of ${id}`}>
            {tabs.map((it) => (
              <button
                key={it}
                type="button"
                aria-current={it === tab ? "page" : undefined}
                onClick={() => {
                  setSearch({ tab: it === "summary" ? undefined : it });
                }}
              >
                {TITLES[it]}
              </button>
            ))}
          </nav>
          {tab === "summary" && (
            <div className="columns">
              <Panel title="Connection">
                <Facts
                  facts={[
                    { name: "Address", value: <span className="mono">{agent.remote_ip ?? "–"}</span> },
                    { name: "Connected", value: agent.online ? <Ago at={agent.connected_at} /> : "not now" },
                    { name: "Tunnels", value: count(pulse?.tunnels ?? agent.tunnels) },
                    ...(pulse === null
                      ? []
                      : [
                          { name: "Running calls", value: count(pulse.streams) },
                          { name: "Round trip now", value: ms(pulse.round_trip_ms) },
                        ]),
                    {
                      name: "Round trip p50 / p95 / p99",
                      value:
                        agent.latency_ms.p50 === null
                          ? "not measured yet"
                          : `${ms(agent.latency_ms.p50)} / ${ms(agent.latency_ms.p95)} / ${ms(agent.latency_ms.p99)}`,
                    },
                    {
                      name: "Calls, last 5 min",
                      value: <CallsOf agent={agent} />,
                    },
                    { name: "Available, last 24 h", value: percent(agent.availability_24h) },
                    {
                      name: "Configuration",
                      value:
                        agent.config_version === 0
                          ? "nothing deployed"
                          : agent.config_version === agent.applied_version
                            ? `version ${count(agent.applied_version)}, applied`
                            : `version ${count(agent.config_version)} deployed, ${count(agent.applied_version)} applied`,
                    },
                    { name: "Waiting messages", value: count(agent.undelivered) },
                  ]}
                />
              </Panel>
              <Panel
                title="Identity"
                beside={
                  <Button
                    why={can("agents:manage") ? undefined : "Needs the role Admin"}
                    onClick={() => {
                      setLabelling(true);
                    }}
                  >
                    Change the labels…
                  </Button>
                }
              >
                <EditLabels
                  agent={agent}
                  open={labelling}
                  onClose={() => {
                    setLabelling(false);
                  }}
                />
                <Facts
                  facts={[
                    { name: "Fingerprint", value: <span className="mono">{agent.fingerprint}</span> },
                    ...(agent.pending_fingerprint === null
                      ? []
                      : [
                          {
                            name: "New fingerprint, waits",
                            value: <span className="mono">{agent.pending_fingerprint}</span>,
                          },
                        ]),
                    { name: "Generation", value: count(agent.generation) },
                    { name: "Enrolled by", value: agent.enrollment.method },
                    { name: "Enrolled", value: moment(agent.enrollment.at) },
                    { name: "Approved by", value: agent.enrollment.approved_by ?? "nobody yet" },
                    {
                      name: "Approved",
                      value: agent.enrollment.approved_at === null ? "–" : moment(agent.enrollment.approved_at),
                    },
                    {
                      name: "Labels",
                      value:
                        Object.keys(agent.labels).length === 0 ? (
                          <span className="muted">none</span>
                        ) : (
                          <span className="labels">
                            {Object.entries(agent.labels).map(([name, value]) => (
                              <span key={name} className="label">
                                {name}={value}
                              </span>
                            ))}
                          </span>
                        ),
                    },
                  ]}
                />
              </Panel>
            </div>
          )}
          {tab === "systems" && <SystemsOf agent={agent} />}
          {tab === "latency" && <AgentLatency agent={id} />}
          {tab === "messages" && <Messages agent={id} online={agent.online} />}
          {tab === "activity" && <EventsOf resource={id} />}
        </>
      )}
    </Page>
  );
}

/** What the stream says of this agent, each second; null without one. */
function usePulse(id: string): Pulse | null {
  const { state, paused } = useLive();
  const [pulse, setPulse] = useState<Pulse | null>(null);
  useLiveEvent("pulse", setPulse);
  return pulse?.id === id && (paused || state.kind === "live") ? pulse : null;
}

function CallsOf({ agent }: { readonly agent: Agent }) {
  const calls = agent.invocations_5m;
  if (calls === null) {
    return <span className="muted">none</span>;
  }
  return (
    <>
      {count(calls.count)}, {calls.failed === 0 ? "none failed" : <span className="bad-text">{count(calls.failed)} failed</span>};
      p50 {ms(calls.p50_ms)}, p99 {ms(calls.p99_ms)}
    </>
  );
}

function Messages({ agent, online }: { readonly agent: string; readonly online: boolean }) {
  const { data, error, refetch } = useQuery(messagesQuery(agent));
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading rows={3} />;
  }
  if (data.length === 0) {
    return (
      <Empty title="Nothing waits">
        <p>Configuration and instructions for this agent wait here until it has confirmed them.</p>
      </Empty>
    );
  }
  return (
    <Panel flush>
      {!online && <Note kind="info">They are kept, and go out in order as soon as the agent is back.</Note>}
      <DataTable
        label="Waiting messages"
        rows={data}
        rowKey={(message) => String(message.sequence)}
        columns={[
          { id: "n", head: "No.", cell: (message) => count(message.sequence), align: "end" },
          { id: "kind", head: "What", cell: (message) => message.kind },
          {
            id: "system",
            head: "System",
            cell: (message) =>
              message.system === null
                ? "–"
                : `${message.system}${message.version === null ? "" : ` v${String(message.version)}`}`,
          },
          { id: "state", head: "State", cell: (message) => message.state },
          { id: "why", head: "Why it waits", cell: (message) => message.why },
          { id: "at", head: "Written", cell: (message) => <Ago at={message.created_at} />, drop: 2 },
          { id: "by", head: "By", cell: (message) => message.author, drop: 1 },
        ]}
      />
    </Panel>
  );
}
