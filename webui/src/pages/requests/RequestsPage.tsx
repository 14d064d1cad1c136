import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { optional } from "../../api/client";
import { Waterfall } from "../../charts/Waterfall";
import { useLive, useLiveEvent, useTopic } from "../../live/live";
import type { CallRow, Calls } from "../../live/types";
import { Badge, Button, Empty, Facts, Failure, Loading, NotAvailable, SelectField, TextField } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { bytes, count, moment, ms, plural } from "../../parts/words";

const KEPT = 500;

const COLUMNS: readonly Column<CallRow>[] = [
  { id: "at", head: "Ended", cell: (call) => <span className="mono">{moment(call.at)}</span> },
  {
    id: "status",
    head: "Answer",
    cell: (call) => <Verdict call={call} />,
  },
  {
    id: "system",
    head: "System",
    cell: (call) => (
      <>
        <span className="strong">{call.system}</span> <span className="muted">{call.site}</span>
      </>
    ),
  },
  { id: "method", head: "Method", cell: (call) => <span className="mono">{call.method}</span>, drop: 3 },
  { id: "agent", head: "Agent", cell: (call) => call.agent ?? <span className="muted">none</span>, drop: 2 },
  { id: "caller", head: "Caller", cell: (call) => call.caller, drop: 1 },
  { id: "out", head: "Answered", cell: (call) => bytes(call.bytes_out), align: "end", drop: 1 },
  { id: "system_ms", head: "System", cell: (call) => ms(call.hops?.system_ms), align: "end", drop: 2 },
  { id: "total", head: "Total", cell: (call) => <strong>{ms(call.total_ms)}</strong>, align: "end" },
];

function Verdict({ call }: { readonly call: CallRow }) {
  if (call.verdict !== "ok") {
    return <Badge tone="bad">{call.status === null ? call.verdict : `${String(call.status)} ${call.verdict}`}</Badge>;
  }
  const status = call.status ?? 0;
  return <Badge tone={status >= 500 ? "bad" : status >= 400 ? "warn" : "ok"}>{call.status ?? "–"}</Badge>;
}

const VERDICTS: readonly (readonly [string, string])[] = [
  ["", "All outcomes"],
  ["failed", "Failed"],
  ["ok", "Answered"],
  ["deadline", "Deadline"],
  ["cancelled", "Cancelled by the caller"],
];

const FIELDS = ["agent", "system", "verdict", "status", "min_ms", "max_ms", "from", "to"] as const;

export default function RequestsPage() {
  const [search, setSearch] = useUrl();
  const { paused, pause } = useLive();
  useTopic("requests");
  const filter = useMemo(() => {
    const parameters = new URLSearchParams({ limit: "200" });
    for (const name of FIELDS) {
      const value = search[name];
      if (value !== undefined && value !== "") {
        parameters.set(name, value);
      }
    }
    return parameters.toString();
  }, [search]);
  const fixed = search["from"] !== undefined || search["to"] !== undefined;
  const { data, error, refetch } = useQuery({
    queryKey: ["requests", filter],
    queryFn: ({ signal }) => optional<Calls>(`/api/v1/requests?${filter}`, signal),
  });
  const [news, setNews] = useState<{ readonly of: string; readonly rows: readonly CallRow[] }>({ of: filter, rows: [] });
  const [left, setLeft] = useState(0);
  useLiveEvent<CallRow>("request", (row) => {
    if (!fixed && passes(row, search)) {
      setNews((old) => ({ of: filter, rows: [row, ...(old.of === filter ? old.rows : [])].slice(0, KEPT) }));
    }
  });
  useLiveEvent<{ total: number; shown: number }>("requests", ({ total, shown }) => {
    setLeft((sum) => sum + Math.max(0, total - shown));
  });

  const rows = useMemo(() => {
    const known = new Map<number, CallRow>();
    for (const row of [...(news.of === filter ? news.rows : []), ...(data?.rows ?? [])]) {
      known.set(row.sequence, row);
    }
    return [...known.values()].sort((a, b) => b.sequence - a.sequence).slice(0, KEPT);
  }, [news, data, filter]);
  const open = rows.find((row) => row.id === search["id"]);

  return (
    <Page
      title="Requests"
      beside={
        !fixed && (
          <Button
            pressed={paused}
            onClick={() => {
              pause(!paused);
            }}
          >
            {paused ? "Go on" : "Pause"}
          </Button>
        )
      }
    >
      {data === null ? (
        <NotAvailable what="Requests" />
      ) : (
        <>
          <div className="selection">
            <TextField
              label="Agent"
              value={search["agent"] ?? ""}
              onChange={(agent) => {
                setSearch({ agent });
              }}
            />
            <TextField
              label="System"
              value={search["system"] ?? ""}
              onChange={(system) => {
                setSearch({ system });
              }}
            />
            <SelectField
              label="Outcome"
              value={search["verdict"] ?? ""}
              options={VERDICTS}
              onChange={(verdict) => {
                setSearch({ verdict });
              }}
            />
            <TextField
              label="At least, ms"
              type="number"
              value={search["min_ms"] ?? ""}
              onChange={(min_ms) => {
                setSearch({ min_ms });
              }}
            />
            <TextField
              label="At most, ms"
              type="number"
              value={search["max_ms"] ?? ""}
              onChange={(max_ms) => {
                setSearch({ max_ms });
              }}
            />
          </div>
          {fixed && (
            <div className="banner info">
              <span>
                Calls that ended {moment(search["from"] ?? "")} to {moment(search["to"] ?? "")}
              </span>
              <Button
                onClick={() => {
                  setSearch({ from: undefined, to: undefined, min_ms: undefined, max_ms: undefined });
                }}
              >
                Show new ones
              </Button>
            </div>
          )}
          {error !== null && <Failure error={error} again={() => void refetch()} />}
          {data === undefined ? (
            error === null && <Loading />
          ) : rows.length === 0 ? (
            <Empty title={filter === "limit=200" ? "No call yet" : "No kept call is like that"}>
              <p>
                {filter === "limit=200"
                  ? "As soon as a service calls a system, it appears here."
                  : "Of every second the slowest, failed and some other calls are kept, the last 10,000. Widen the filter."}
              </p>
            </Empty>
          ) : (
            <Panel flush>
              <DataTable
                label="Requests"
                columns={COLUMNS}
                rows={rows}
                rowKey={(row) => String(row.sequence)}
                onOpen={(row) => {
                  setSearch({ id: row.id });
                }}
              />
              <p className="fine">
                {plural(rows.length, "call")} shown of {count(data.seen)} since the node {data.node} started; slowest,
                failed and sampled ones are kept{left > 0 && `, ${count(left)} left out while you looked`}. No path, query or
                body is ever kept.
              </p>
            </Panel>
          )}
        </>
      )}
      {search["id"] !== undefined && search["id"] !== "" && (
        <OneCall
          id={search["id"]}
          known={open}
          onClose={() => {
            setSearch({ id: undefined });
          }}
        />
      )}
    </Page>
  );
}

function passes(row: CallRow, search: Readonly<Record<string, string | undefined>>): boolean {
  const is = (name: string, value: string | null) => (search[name] ?? "") === "" || search[name] === value;
  const verdict = search["verdict"] ?? "";
  return (
    is("agent", row.agent) &&
    is("system", row.system) &&
    (verdict === "" || verdict === row.verdict || (verdict === "failed" && row.verdict !== "ok")) &&
    row.total_ms >= Number(search["min_ms"] ?? 0) &&
    row.total_ms <= Number(search["max_ms"] === undefined || search["max_ms"] === "" ? Infinity : search["max_ms"])
  );
}

function OneCall({
  id,
  known,
  onClose,
}: {
  readonly id: string;
  readonly known: CallRow | undefined;
  readonly onClose: () => void;
}) {
  const { data, error } = useQuery({
    queryKey: ["request", id],
    enabled: known === undefined,
    queryFn: ({ signal }) => optional<CallRow>(`/api/v1/requests/${encodeURIComponent(id)}`, signal),
  });
  const call = known ?? data;
  return (
    <Dialog open title="One call" onClose={onClose} wide>
      {error !== null && <Failure error={error} />}
      {call === null && <p>This call is no longer kept.</p>}
      {call !== null && call !== undefined && (
        <>
          <div className="state-line">
            <Verdict call={call} />
            <span className="mono">{call.method}</span>
            <strong>
              {call.site}/{call.system}
            </strong>
            <span>{moment(call.at)}</span>
            {call.cut && <Badge tone="bad">Cut</Badge>}
          </div>
          <Waterfall call={call} />
          <Facts
            facts={[
              { name: "Caller", value: call.caller },
              { name: "Agent", value: call.agent ?? "none" },
              { name: "Bytes in / out", value: `${bytes(call.bytes_in)} / ${bytes(call.bytes_out)}` },
              { name: "Request id", value: <span className="mono">{call.id}</span> },
              { name: "Trace id", value: <span className="mono">{call.trace_id ?? "–"}</span> },
              {
                name: "Kept as",
                value:
                  call.kept_as === "slowest" ? "slowest of its second" : call.kept_as === "failed" ? "failed" : "a sample",
              },
            ]}
          />
        </>
      )}
    </Dialog>
  );
}
