import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { BROKER } from "../../api/base";
import { api, call, done, PAGE_FIELD } from "../../api/client";
import { problemOf } from "../../api/problem";
import type { components } from "../../api/schema";
import { useCan, useMe } from "../../auth/session";
import { Button, Copy, Empty, Facts, Failure, Loading, Note, SelectField, TextField } from "../../parts/basics";
import { csvOf, download } from "../../parts/csv";
import { DataTable } from "../../parts/DataTable";
import { DelayedField } from "../../parts/DelayedField";
import { Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { count, moment, plural } from "../../parts/words";
import { EVENT_COLUMNS, type AuditEvent } from "./events";

type Verdict = components["schemas"]["AuditVerdict"];

const PAGE = 200;
const FIELDS = ["user", "event_type", "resource_id", "result", "reason"] as const;

const RESULTS: readonly (readonly [string, string])[] = [
  ["", "Every result"],
  ["success", "Success"],
  ["failure", "Failure"],
  ["denied", "Denied"],
  ["blocked", "Blocked"],
];

export default function AuditPage() {
  const can = useCan();
  const me = useMe();
  const [search, setSearch] = useUrl();
  const all = can("audit:read");
  const setUser = useField(setSearch, "user");
  const setEvent = useField(setSearch, "event_type");
  const setResource = useField(setSearch, "resource_id");
  const setReason = useField(setSearch, "reason");
  const filter: Record<string, string> = {};
  for (const name of FIELDS) {
    const value = search[name];
    if (value !== undefined && value !== "") {
      filter[name] = value;
    }
  }
  const from = search["from"] ?? "";
  const to = search["to"] ?? "";
  if (from !== "" && !Number.isNaN(Date.parse(from))) {
    filter["from"] = new Date(from).toISOString();
  }
  if (to !== "" && !Number.isNaN(Date.parse(to))) {
    filter["to"] = new Date(to).toISOString();
  }
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["audit", filter],
    initialPageParam: 0,
    queryFn: ({ pageParam }) =>
      done(
        api.GET("/api/v1/audit", {
          params: { query: { ...filter, limit: PAGE, ...(pageParam > 0 ? { before: pageParam } : {}) } },
        }),
      ),
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
  });
  const rows = data?.pages.flat() ?? [];
  const id = search["id"] ?? "";
  const open = rows.find((event) => String(event.id) === id);
  return (
    <Page
      title="Audit"
      beside={
        <>
          <Button
            onClick={() => {
              download("audit.csv", csvOf(rows));
            }}
          >
            Export these as CSV
          </Button>
          {all && <Proof />}
        </>
      }
    >
      {!all && (
        <Note kind="info">
          You see what you did yourself, {me.email}. Admins see everything.
        </Note>
      )}
      <div className="selection">
        {all && <DelayedField label="Who" value={search["user"] ?? ""} spellCheck={false} onChange={setUser} />}
        <DelayedField
          label="Event"
          value={search["event_type"] ?? ""}
          placeholder="gateway.approve"
          spellCheck={false}
          onChange={setEvent}
        />
        <DelayedField
          label="On"
          value={search["resource_id"] ?? ""}
          placeholder="plant-7"
          spellCheck={false}
          onChange={setResource}
        />
        <SelectField
          label="Result"
          value={search["result"] ?? ""}
          options={RESULTS}
          onChange={(result) => {
            setSearch({ result });
          }}
        />
        <DelayedField
          label="Reason"
          value={search["reason"] ?? ""}
          placeholder="unknown-token"
          spellCheck={false}
          onChange={setReason}
        />
        <TextField
          label="From"
          type="datetime-local"
          value={from}
          onChange={(next) => {
            setSearch({ from: next });
          }}
        />
        <TextField
          label="To"
          type="datetime-local"
          value={to}
          onChange={(next) => {
            setSearch({ to: next });
          }}
        />
      </div>
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : rows.length === 0 ? (
        <Empty
          title="No event is like that"
          action={
            <Button
              onClick={() => {
                setSearch({ user: "", event_type: "", resource_id: "", result: "", from: "", to: "" });
              }}
            >
              Clear the filter
            </Button>
          }
        />
      ) : (
        <Panel flush>
          <DataTable
            label="Audit events"
            columns={EVENT_COLUMNS}
            rows={rows}
            rowKey={(event) => String(event.id)}
            onOpen={(event) => {
              setSearch({ id: String(event.id) });
            }}
          />
          <div className="fine actions">
            {plural(rows.length, "event")}, newest first.
            {hasNextPage && (
              <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {isFetchingNextPage ? "Loading…" : "Older ones"}
              </Button>
            )}
            <Button kind="quiet" onClick={() => void refetch()}>
              Look again
            </Button>
          </div>
        </Panel>
      )}
      {/^[1-9]\d{0,15}$/.test(id) && (
        <LinkedEvent
          id={Number(id)}
          known={open}
          onClose={() => {
            setSearch({ id: undefined });
          }}
        />
      )}
    </Page>
  );
}

function useField(
  setSearch: (changes: Record<string, string | undefined>) => void,
  name: string,
): (value: string) => void {
  return useCallback(
    (value) => {
      setSearch({ [name]: value });
    },
    [setSearch, name],
  );
}

/** A link to one event opens it, also when it is far below those that are listed. */
function LinkedEvent({
  id,
  known,
  onClose,
}: {
  readonly id: number;
  readonly known: AuditEvent | undefined;
  readonly onClose: () => void;
}) {
  const { data, error } = useQuery({
    queryKey: ["audit", "one", id],
    enabled: known === undefined,
    queryFn: async () => {
      const before = await done(api.GET("/api/v1/audit", { params: { query: { before: id + 1, limit: 1 } } }));
      return before.find((event) => event.id === id) ?? null;
    },
  });
  const event = known ?? data;
  if (event !== undefined && event !== null) {
    return <OneEvent event={event} onClose={onClose} />;
  }
  return (
    <Dialog open title={`Record ${count(id)}`} onClose={onClose}>
      {error !== null ? (
        <Failure error={error} />
      ) : event === null ? (
        <p>There is no such record, or it is one of somebody else's doing that you may not see.</p>
      ) : (
        <Loading rows={3} />
      )}
    </Dialog>
  );
}

function OneEvent({ event, onClose }: { readonly event: AuditEvent; readonly onClose: () => void }) {
  const facts = [
    ["When", moment(event.timestamp)],
    ["Who", event.user],
    ["On", event.resource_id],
    ["Resource", event.resource],
    ["Action", event.action],
    ["Result", event.result],
    ["Reason", event.reason],
    ["Approved by", event.approved_by],
    ["From", event.ip_address],
    ["With", event.user_agent],
    ["Record", count(event.id)],
  ] as const;
  return (
    <Dialog open title={event.event_type} onClose={onClose} wide footer={<Copy text={location.href} label="Copy a link to this" />}>
      <Facts
        facts={facts.flatMap(([name, value]) => (value === null || value === "" ? [] : [{ name, value }]))}
      />
      {Object.keys(event.changes).length > 0 && (
        <pre className="code-block" role="group" tabIndex={0} aria-label="Changes">
          {JSON.stringify(event.changes, null, 2)}
        </pre>
      )}
    </Dialog>
  );
}

/** Whether the trail is what the broker wrote, looked at from its beginning. */
function Proof() {
  const [looking, setLooking] = useState(false);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [exporting, setExporting] = useState(false);

  async function verify() {
    setLooking(true);
    setVerdict(null);
    setFailure(null);
    try {
      let after = 0;
      for (;;) {
        const found: Verdict = await done(api.GET("/api/v1/audit/verify", { params: { query: { after } } }));
        setVerdict(found);
        if (found.complete || !found.ok || found.position <= after) {
          return;
        }
        after = found.position;
      }
    } catch (error) {
      setFailure(error);
    } finally {
      setLooking(false);
    }
  }

  async function exportAll() {
    setExporting(true);
    setFailure(null);
    try {
      download("audit.ndjson", await exported(), "application/x-ndjson");
    } catch (error) {
      setFailure(error);
    } finally {
      setExporting(false);
    }
  }

  return (
    <>
      <Button disabled={exporting} onClick={() => void exportAll()}>
        {exporting ? "Exporting…" : "Export with proof"}
      </Button>
      <Button disabled={looking} onClick={() => void verify()}>
        {looking ? "Verifying…" : "Verify"}
      </Button>
      <Dialog
        open={verdict !== null || failure !== null}
        title={failure !== null ? "That did not work" : verdict?.ok === true ? "The trail is intact" : "The trail was changed"}
        onClose={() => {
          setVerdict(null);
          setFailure(null);
        }}
      >
        {failure !== null && <Failure error={failure} />}
        {verdict !== null && (
          <>
            <Note kind={verdict.ok ? "ok" : "bad"}>
              {verdict.ok
                ? `${count(verdict.position)} records hold, each with its own code and its place in the chain.`
                : `Record ${count(verdict.first_bad?.position)} was ${verdict.first_bad?.what ?? "changed"}: ${verdict.first_bad?.detail ?? ""}`}
              {!verdict.complete && verdict.ok && " Still looking…"}
            </Note>
            <Facts
              facts={[
                { name: "Looked at up to", value: count(verdict.position) },
                { name: "Not sealed yet", value: count(verdict.waiting) },
                {
                  name: "Newest checkpoint",
                  value:
                    verdict.checkpoint === null
                      ? "none yet"
                      : `no. ${count(verdict.checkpoint.number)}, ${moment(verdict.checkpoint.issued_at)}`,
                },
              ]}
            />
            <p className="muted">
              An export with proof is verified without this broker: <code>penstock ctl audit verify --file</code>.
            </p>
          </>
        )}
      </Dialog>
    </>
  );
}

/** The lines of the export, page by page; a page either ends it or ends with an entry to go on after. */
async function exported(): Promise<string> {
  const pages: string[] = [];
  let query = "";
  for (;;) {
    const response = await call(
      new Request(`${BROKER}/api/v1/audit/export${query}`, { headers: PAGE_FIELD }),
    );
    if (!response.ok) {
      throw problemOf(response, await response.json().catch(() => undefined));
    }
    const page = await response.text();
    pages.push(page);
    const last = JSON.parse(page.trimEnd().split("\n").at(-1) ?? "{}") as { end?: number; position?: number };
    if (last.end !== undefined) {
      return pages.join("");
    }
    const header = JSON.parse(pages[0]?.split("\n")[0] ?? "{}") as { up_to?: number };
    if (last.position === undefined || header.up_to === undefined) {
      throw new Error("The broker's answer ends in the middle of an export.");
    }
    query = `?after=${String(last.position)}&up_to=${String(header.up_to)}`;
  }
}
