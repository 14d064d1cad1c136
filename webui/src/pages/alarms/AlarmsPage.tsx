import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { post } from "../../api/client";
import { useCan } from "../../auth/session";
import { Ago, Badge, Button, Empty, Facts, Failure, Loading, SelectField, TextField } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { Confirm, Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { alarmsQuery } from "../../parts/queries";
import { useUrl } from "../../parts/search";
import { count, moment, plural } from "../../parts/words";
import { severityTone } from "./severity";

/** Something to do about an alarm: a call of the API, which the broker offers with it. */
interface Action {
  readonly name: string;
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly asks: readonly string[];
  readonly permission: string;
  readonly allowed: boolean;
}

/** Members that a broker without the catalogue of alarms does not send are optional. */
interface Alarm {
  readonly id: number;
  readonly kind: string;
  readonly title?: string;
  readonly severity: string;
  readonly subject: string;
  readonly message: string;
  readonly address?: string | null;
  readonly next?: string;
  readonly occurrences: number;
  readonly raised_at: string;
  readonly last_at: string;
  readonly silenced?: boolean;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly note?: string | null;
  readonly comment?: string | null;
  readonly cleared_at: string | null;
  readonly actions?: readonly Action[];
}

function stateOf(alarm: Alarm): "open" | "acknowledged" | "cleared" {
  return alarm.cleared_at !== null ? "cleared" : alarm.acknowledged_at !== null ? "acknowledged" : "open";
}

const STATES: readonly (readonly [string, string])[] = [
  ["", "Open"],
  ["acknowledged", "Acknowledged"],
  ["cleared", "Cleared"],
  ["all", "All"],
];

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
        <span className="strong">{alarm.title ?? alarm.kind}</span>{" "}
        {alarm.silenced === true && <Badge tone="off">silenced</Badge>}
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
  const alarms = (data ?? []) as readonly Alarm[];
  const rows = alarms.filter(
    (alarm) =>
      (wanted === "all" || stateOf(alarm) === (wanted === "" ? "open" : wanted)) &&
      (severity === "" || alarm.severity === severity),
  );
  const open = alarms.find((alarm) => String(alarm.id) === search["id"]);
  return (
    <Page title="Alarms">
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
  const agent = /^(?:agent:)?([A-Za-z0-9][A-Za-z0-9._-]{0,62})$/.exec(alarm.subject)?.[1];

  async function acknowledge(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      // An older broker calls the note a comment.
      const name = alarm.actions === undefined ? "comment" : "note";
      await post(`/api/v1/alarms/${String(alarm.id)}/acknowledge`, note === "" ? undefined : { [name]: note });
      await queries.invalidateQueries({ queryKey: ["alarms"] });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open title={alarm.title ?? alarm.kind} onClose={onClose} wide>
      <div className="state-line">
        <Badge tone={severityTone(alarm.severity)}>{alarm.severity}</Badge>
        <span>{stateOf(alarm)}</span>
        <span>{plural(alarm.occurrences, "time")}</span>
      </div>
      <p>{alarm.message}</p>
      {alarm.next !== undefined && alarm.next !== "" && (
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
          ...(alarm.address === null || alarm.address === undefined
            ? []
            : [{ name: "Address", value: <span className="mono">{alarm.address}</span> }]),
          { name: "First", value: moment(alarm.raised_at) },
          { name: "Last", value: moment(alarm.last_at) },
          ...(alarm.cleared_at === null ? [] : [{ name: "Cleared", value: moment(alarm.cleared_at) }]),
          ...(alarm.acknowledged_at === null
            ? []
            : [
                { name: "Acknowledged", value: `${moment(alarm.acknowledged_at)} by ${alarm.acknowledged_by ?? "?"}` },
                { name: "Note", value: alarm.note ?? alarm.comment ?? "–" },
              ]),
        ]}
      />
      {(alarm.actions ?? []).length > 0 && (
        <div className="actions">
          {alarm.actions?.map((action) => (
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
        </div>
      )}
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
      onClose={onClose}
      onConfirm={async () => {
        const body = action.body === null && action.asks.length === 0 ? undefined : { ...action.body, ...values };
        await post(action.path, body, action.method);
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
