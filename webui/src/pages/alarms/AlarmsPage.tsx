import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { api, done, post, some } from "../../api/client";
import type { components } from "../../api/schema";
import { useCan } from "../../auth/session";
import { Ago, Badge, Button, Empty, Facts, Failure, Loading, SelectField, TextField } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { Confirm, Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { alarmsQuery } from "../../parts/queries";
import { useUrl } from "../../parts/search";
import { count, moment, plural } from "../../parts/words";
import { severityTone } from "./severity";
import { NewSilence, Silences } from "./Silences";

type Alarm = components["schemas"]["Alarm"];
type Action = Alarm["actions"][number];

function stateOf(alarm: Alarm): "open" | "acknowledged" | "cleared" {
  return alarm.cleared_at !== null ? "cleared" : alarm.acknowledged_at !== null ? "acknowledged" : "open";
}

const STATES: readonly (readonly [string, string])[] = [
  ["", "Open"],
  ["acknowledged", "Acknowledged"],
  ["cleared", "Cleared"],
  ["all", "All"],
];

const TABS = [
  ["alarms", "Alarms"],
  ["silences", "Silences"],
] as const;

const SEVERITIES: readonly (readonly [string, string])[] = [
  ["", "Every severity"],
  ["critical", "Critical"],
  ["high", "High"],
  ["medium", "Medium"],
  ["low", "Low"],
];

const COLUMNS: readonly Column<Alarm>[] = [
  {
    id: "severity",
    head: "Severity",
    cell: (alarm) => <Badge tone={severityTone(alarm.severity)}>{alarm.severity}</Badge>,
  },
  {
    id: "what",
    head: "What",
    cell: (alarm) => (
      <>
        <span className="strong">{alarm.title}</span>{" "}
        {alarm.silenced && <Badge tone="off">silenced</Badge>}
      </>
    ),
  },
  { id: "about", head: "About", cell: (alarm) => alarm.subject, drop: 2 },
  { id: "message", head: "Message", cell: (alarm) => <span className="muted">{alarm.message}</span>, drop: 1 },
  { id: "n", head: "Times", cell: (alarm) => count(alarm.occurrences), align: "end", drop: 3 },
  { id: "last", head: "Last", cell: (alarm) => <Ago at={alarm.last_at} /> },
  {
    id: "state",
    head: "State",
    cell: (alarm) =>
      stateOf(alarm) === "acknowledged" ? (
        <span className="muted">by {alarm.acknowledged_by}</span>
      ) : (
        <span className={stateOf(alarm) === "open" ? "bad-text" : "muted"}>{stateOf(alarm)}</span>
      ),
    drop: 2,
  },
];

export default function AlarmsPage() {
  const [search, setSearch] = useUrl();
  const { data, error, refetch, dataUpdatedAt } = useQuery(alarmsQuery);
  const wanted = search["state"] ?? "";
  const severity = search["severity"] ?? "";
  const alarms = data ?? [];
  const rows = alarms.filter(
    (alarm) =>
      (wanted === "all" || stateOf(alarm) === (wanted === "" ? "open" : wanted)) &&
      (severity === "" || alarm.severity === severity),
  );
  const open = alarms.find((alarm) => String(alarm.id) === search["id"]);
  const tab = search["tab"] === "silences" ? "silences" : "alarms";
  return (
    <Page title="Alarms">
      <nav className="tabs" aria-label="Parts of alarms">
        {TABS.map(([id, name]) => (
          <button
            key={id}
            type="button"
            aria-current={id === tab ? "page" : undefined}
            onClick={() => {
              setSearch({ tab: id === "alarms" ? undefined : id });
            }}
          >
            {name}
          </button>
        ))}
      </nav>
      {tab === "silences" ? (
        <Silences />
      ) : (
        <>
          <div className="selection">
            <SelectField
              label="State"
              value={wanted}
              options={STATES}
              onChange={(state) => {
                setSearch({ state });
              }}
            />
            <SelectField
              label="Severity"
              value={severity}
              options={SEVERITIES}
              onChange={(next) => {
                setSearch({ severity: next });
              }}
            />
          </div>
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : rows.length === 0 ? (
        <Empty title={wanted === "" && severity === "" ? "No open alarm" : "No alarm is like that"}>
          <p>
            Looked <Ago at={new Date(dataUpdatedAt).toISOString()} />.
            {wanted === "" && severity === "" && " What needs somebody appears here by itself."}
          </p>
        </Empty>
      ) : (
        <Panel flush>
          <DataTable
            label="Alarms"
            columns={COLUMNS}
            rows={rows}
            rowKey={(alarm) => String(alarm.id)}
            onOpen={(alarm) => {
              setSearch({ id: String(alarm.id) });
            }}
          />
        </Panel>
      )}
        </>
      )}
      {open !== undefined && (
        <OneAlarm
          alarm={open}
          onClose={() => {
            setSearch({ id: undefined });
          }}
        />
      )}
    </Page>
  );
}

function OneAlarm({ alarm, onClose }: { readonly alarm: Alarm; readonly onClose: () => void }) {
  const can = useCan();
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [acting, setActing] = useState<Action | null>(null);
  const [silencing, setSilencing] = useState(false);
  const agent = /^(?:agent:)?([A-Za-z0-9][A-Za-z0-9._-]{0,62})$/.exec(alarm.subject)?.[1];

  async function acknowledge(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await done(
        api.POST("/api/v1/alarms/{id}/acknowledge", {
          params: { path: { id: String(alarm.id) } as never },
          body: some(note.trim() === "" ? {} : { note: note.trim() }),
        }),
      );
      await queries.invalidateQueries({ queryKey: ["alarms"] });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open title={alarm.title} onClose={onClose} wide>
      <div className="state-line">
        <Badge tone={severityTone(alarm.severity)}>{alarm.severity}</Badge>
        <span>{stateOf(alarm)}</span>
        <span>{plural(alarm.occurrences, "time")}</span>
      </div>
      <p>{alarm.message}</p>
      {alarm.next !== "" && (
        <p>
          <strong>What to do:</strong> {alarm.next}
        </p>
      )}
      <Facts
        facts={[
          {
            name: "About",
            value:
              agent === undefined || !alarm.kind.startsWith("agent") ? (
                alarm.subject
              ) : (
                <Link to="/agents/$agent" params={{ agent }}>
                  {alarm.subject}
                </Link>
              ),
          },
          { name: "Kind", value: <code>{alarm.kind}</code> },
          ...(alarm.address === null
            ? []
            : [{ name: "Address", value: <span className="mono">{alarm.address}</span> }]),
          { name: "First", value: moment(alarm.raised_at) },
          { name: "Last", value: moment(alarm.last_at) },
          ...(alarm.cleared_at === null ? [] : [{ name: "Cleared", value: moment(alarm.cleared_at) }]),
          ...(alarm.acknowledged_at === null
            ? []
            : [
                { name: "Acknowledged", value: `${moment(alarm.acknowledged_at)} by ${alarm.acknowledged_by ?? "?"}` },
                { name: "Note", value: alarm.note ?? "–" },
              ]),
        ]}
      />
      <div className="actions">
        {alarm.actions.map((action) => (
          <Button
            key={action.name}
            why={action.allowed ? undefined : `Needs the permission ${action.permission}`}
            onClick={() => {
              setActing(action);
            }}
          >
            {action.title}…
          </Button>
        ))}
        {!alarm.silenced && stateOf(alarm) !== "cleared" && (
          <Button
            why={can("alarms:acknowledge") ? undefined : "Needs the role Operator"}
            onClick={() => {
              setSilencing(true);
            }}
          >
            Silence ones like this…
          </Button>
        )}
      </div>
      {stateOf(alarm) === "open" && (
        <form className="stack" onSubmit={(event) => void acknowledge(event)}>
          <TextField label="Note" value={note} onChange={setNote} maxLength={1000} hint="For whoever looks next. It stays with the alarm." />
          {failure !== null && <Failure error={failure} />}
          <div className="actions">
            <Button
              kind="primary"
              submit
              disabled={busy}
              why={can("alarms:acknowledge") ? undefined : "Needs the role Operator"}
            >
              Acknowledge
            </Button>
          </div>
        </form>
      )}
      <NewSilence
        open={silencing}
        wish={{ kind: alarm.kind, subject: alarm.subject }}
        onClose={() => {
          setSilencing(false);
        }}
      />
      {acting !== null && (
        <Act
          action={acting}
          onClose={() => {
            setActing(null);
          }}
        />
      )}
    </Dialog>
  );
}

function Act({ action, onClose }: { readonly action: Action; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  return (
    <Confirm
      open
      title={action.title}
      typed=""
      action={action.title}
      kind="primary"
      onClose={onClose}
      onConfirm={async () => {
        const body = action.body === null && action.asks.length === 0 ? undefined : { ...action.body, ...values };
        await post(`/api/v1/${action.path.replace(/^\/api\/v1\//, "")}`, body, action.method);
        await queries.invalidateQueries();
      }}
    >
      <p>
        <code>
          {action.method} {action.path}
        </code>
      </p>
      {action.asks.map((name) => (
        <TextField
          key={name}
          label={name}
          value={values[name] ?? ""}
          onChange={(value) => {
            setValues({ ...values, [name]: value });
          }}
        />
      ))}
      <p className="muted">It goes into the audit trail under your name.</p>
    </Confirm>
  );
}
