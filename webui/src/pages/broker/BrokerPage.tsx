import { useQuery, useQueryClient } from "@tanstack/react-query";
import { optional } from "../../api/client";
import { useLiveEvent, useTopic } from "../../live/live";
import type { BrokerNode } from "../../live/types";
import { Ago, Badge, Facts, Failure, Loading, Note, NotAvailable } from "../../parts/basics";
import { Page, Panel } from "../../parts/Page";
import { bytes, clock, count, ms, percent } from "../../parts/words";

interface Nodes {
  readonly nodes: readonly BrokerNode[];
}

export default function BrokerPage() {
  const queries = useQueryClient();
  useTopic("broker");
  const { data, error, refetch } = useQuery({
    queryKey: ["broker"],
    queryFn: ({ signal }) => optional<Nodes>("/api/v1/broker", signal),
    meta: { live: true },
  });
  useLiveEvent("broker", (node) => {
    queries.setQueryData<Nodes | null>(["broker"], (old) =>
      old === null || old === undefined
        ? old
        : {
            nodes: old.nodes.some((it) => it.node === node.node)
              ? old.nodes.map((it) => (it.node === node.node ? node : it))
              : [...old.nodes, node],
          },
    );
  });
  return (
    <Page title="Broker">
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === null ? (
        <NotAvailable what="The state of the nodes" />
      ) : data === undefined ? (
        error === null && <Loading />
      ) : (
        data.nodes.map((node) => <Node key={node.node} node={node} />)
      )}
    </Page>
  );
}

function Node({ node }: { readonly node: BrokerNode }) {
  const lag = Math.max(0, ...node.event_loops.map((it) => it.max_lag_ms));
  return (
    <Panel
      title={
        <>
          {node.node} <Badge tone={node.live ? "ok" : "bad"}>{node.live ? "Up" : "Not heard from"}</Badge>
        </>
      }
      beside={
        <span className="muted">
          Penstock {node.version}, up {clock(node.uptime_s)}
        </span>
      }
    >
      {!node.live && (
        <Note kind="bad">
          Last heard <Ago at={node.at} />. These are its last values. If it was not stopped on purpose, look at its log.
        </Note>
      )}
      {!node.database.reachable && <Note kind="bad">It does not reach its database: run penstock doctor there.</Note>}
      <div className="columns">
        <Facts
          facts={[
            { name: "Tunnels", value: count(node.tunnels) },
            { name: "Running calls", value: count(node.streams) },
            { name: "Connections", value: count(node.connections) },
            { name: "CPU", value: percent(node.cpu) },
            { name: "Threads", value: count(node.threads) },
            { name: "Heap", value: `${bytes(node.heap.used)} of ${bytes(node.heap.max)}` },
            { name: "Garbage collection", value: `${count(node.gc.collections)}, ${ms(node.gc.pause_ms)} in all` },
          ]}
        />
        <Facts
          facts={[
            {
              name: "Database",
              value: `${count(node.database.in_use)} of ${count(node.database.connections)} connections in use, ${count(node.database.waiting)} waiting`,
            },
            {
              name: "Event loops, longest lag",
              value: <span className={lag > 100 ? "bad-text" : ""}>{ms(lag)} in the last minute</span>,
            },
            { name: "Consoles listening", value: `${count(node.live_streams)}, ${count(node.live_dropped)} events dropped` },
            { name: "Recorded series", value: `${count(node.recorder.series)} of ${count(node.recorder.limit)}` },
            { name: "Calls not recorded", value: count(node.recorder.missed) },
            { name: "Calls beyond the series", value: count(node.recorder.overflowed) },
            { name: "History waiting / dropped", value: `${count(node.recorder.history_waiting)} / ${count(node.recorder.history_dropped)}` },
          ]}
        />
      </div>
      {node.event_loops.length > 0 && (
        <details>
          <summary>Event loops ({node.event_loops.length})</summary>
          <Facts
            facts={node.event_loops.map((it) => ({
              name: it.name,
              value: `${ms(it.lag_ms)} now, ${ms(it.max_lag_ms)} at most in the last minute`,
            }))}
          />
        </details>
      )}
    </Panel>
  );
}
