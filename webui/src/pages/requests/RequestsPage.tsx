import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { optional } from "../../api/client";
import { Waterfall } from "../../charts/Waterfall";
import { useLive, useLiveEvent, useTopic } from "../../live/live";
import type { CallRow, Calls } from "../../live/types";
import { Badge, Button, Empty, Facts, Failure, Loading, NotAvailable, SelectField } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { DelayedField } from "../../parts/DelayedField";
import { Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { bytes, count, moment, ms, plural } from "../../parts/words";
import { filterOf, merged, passes, type CallFilter } from "./calls";

/** Of those that the stream tells of. */
const KEPT = 500;
const PAGE = 200;

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
  { id: "system_ms", head: "In the system", cell: (call) => ms(call.hops?.system_ms), align: "end", drop: 2 },
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

const STATUSES: readonly (readonly [string, string])[] = [
  ["", "All statuses"],
  ["2xx", "2xx"],
  ["3xx", "3xx"],
  ["4xx", "4xx"],
  ["5xx", "5xx"],
];

interface News {
  readonly of: string;
  readonly rows: readonly CallRow[];
  /** Calls that were not sent to this page. */
  readonly left: number;
}

export default function RequestsPage() {
  const [search, setSearch] = useUrl();
  const { paused, pause } = useLive();
  useTopic("requests");
  const filter = useMemo(() => filterOf(search), [search]);
  const key = JSON.stringify(filter);
  const fixed = filter["from"] !== undefined || filter["to"] !== undefined;
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["requests", filter],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ ...filter, limit: String(PAGE) });
      if (pageParam > 0) {
        parameters.set("before", String(pageParam));
      }
      return optional<Calls>(`/api/v1/requests?${parameters.toString()}`, signal);
    },
    getNextPageParam: (last) => (last === null || last.rows.length < PAGE ? undefined : last.rows.at(-1)?.sequence),
    meta: { live: true },
  });
  const [known, setNews] = useState<News>({ of: key, rows: [], left: 0 });
  const news = known.of === key ? known : { of: key, rows: [], left: 0 };
  useLiveEvent("request", (row) => {
    if (!fixed && passes(row, filter)) {
      setNews((old) => {
        const before = old.of === key ? old : { of: key, rows: [], left: 0 };
        return { ...before, rows: merged([row], before.rows).slice(0, KEPT) };
      });
    }
  });
  useLiveEvent("requests", ({ total, shown }) => {
    setNews((old) => {
      const before = old.of === key ? old : { of: key, rows: [], left: 0 };
      return { ...before, left: before.left + Math.max(0, total - shown) };
    });
  });
  useLiveEvent("reset", () => {
    // Between the rows that were heard and the next ones some are missing: the broker is asked for all.
    setNews({ of: key, rows: [], left: 0 });
  });

  const pages = data?.pages;
  const first = pages?.[0];
  const rows = useMemo(
    () => merged(...(pages ?? []).map((page) => page?.rows ?? []), news.rows),
    [pages, news.rows],
  );
  const open = rows.find((row) => row.id === search["id"]);
  const all = key === "{}";
  const change = useCallback(
    (changes: Record<string, string>) => {
      // The count of a cell is not that of another filter.
      setSearch({ ...changes, of: undefined });
    },
    [setSearch],
  );

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
      {first === null ? (
        <NotAvailable what="Requests" />
      ) : (
        <>
          <div className="selection">
            <FilterField name="agent" label="Agent" search={search} onChange={change} />
            <FilterField name="system" label="System" search={search} onChange={change} />
            <SelectField
              label="Outcome"
              value={search["verdict"] ?? ""}
              options={VERDICTS}
              onChange={(verdict) => {
                change({ verdict });
              }}
            />
            <SelectField
              label="Status"
              value={search["status"] ?? ""}
              options={withChosen(STATUSES, search["status"])}
              onChange={(status) => {
                change({ status });
              }}
            />
            <FilterField name="min_ms" label="At least, ms" type="number" search={search} onChange={change} />
            <FilterField name="max_ms" label="At most, ms" type="number" search={search} onChange={change} />
          </div>
          {fixed && (
            <div className="banner info">
              <span>
                Calls that ended {moment(search["from"] ?? "")} to {moment(search["to"] ?? "")}
              </span>
              <Button
                onClick={() => {
                  setSearch({ from: undefined, to: undefined, min_ms: undefined, max_ms: undefined, of: undefined });
                }}
              >
                Show new ones
              </Button>
            </div>
          )}
          {error !== null && <Failure error={error} again={() => void refetch()} />}
          {first === undefined ? (
            error === null && <Loading />
          ) : rows.length === 0 ? (
            <Empty title={all ? "No call yet" : "No kept call is like that"}>
              <p>
                {all
                  ? "As soon as a service calls a system, it appears here."
                  : search["of"] === undefined
                    ? "Of every second the slowest, failed and some other calls are kept, the last 10,000. Widen the filter."
                    : `${plural(Number(search["of"]), "call")} fell into that cell. Of every second the slowest, failed and some others are kept, on the node that took them, the last 10,000: none of these is. A slower or newer cell has better chances.`}
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
              <div className="fine actions">
                <span>
                  {plural(rows.length, "call")} shown
                  {rows.length <= Number(search["of"]) && <> of {count(Number(search["of"]))} in the cell</>}, {count(first.seen)} seen since
                  the node {first.node} started. Slowest, failed and sampled ones are kept
                  {news.left > 0 && `; ${count(news.left)} went by while you looked`}. No path, query or body is ever kept.
                </span>
                {hasNextPage && (
                  <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                    {isFetchingNextPage ? "Loading…" : "Older ones"}
                  </Button>
                )}
              </div>
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

function FilterField({
  name,
  label,
  type = "text",
  search,
  onChange,
}: {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "number";
  readonly search: CallFilter;
  readonly onChange: (changes: Record<string, string>) => void;
}) {
  const set = useCallback(
    (value: string) => {
      onChange({ [name]: value });
    },
    [name, onChange],
  );
  return <DelayedField label={label} type={type} value={search[name] ?? ""} spellCheck={false} onChange={set} />;
}

function withChosen(options: readonly (readonly [string, string])[], chosen: string | undefined) {
  return chosen === undefined || options.some(([value]) => value === chosen)
    ? options
    : [...options, [chosen, chosen] as const];
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
