import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, done, some } from "../../api/client";
import type { components } from "../../api/schema";
import { useCan, useMe } from "../../auth/session";
import { useMoving } from "../../live/live";
import { Ago, Badge, Button, Empty, Facts, Failure, Loading, Note, SelectField, TextField, type Tone } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { Dialog } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { moment, plural } from "../../parts/words";
import { ChangeList, type SettingChanges } from "../systems/ChangeList";

type Change = components["schemas"]["Change"];
type State = Change["state"];

/** No event tells of changes. */
const LOOK_MS = 15_000;

const KINDS: Readonly<Record<Change["kind"], string>> = {
  "system.update": "Edit a system",
  "system.rollback": "Roll a system back",
  "system.deploy": "Deploy a version",
  "system.delete": "Delete a system",
  "agents.revoke": "Revoke agents",
};

const TONES: Readonly<Record<State, Tone>> = {
  waiting: "warn",
  approved: "info",
  executed: "ok",
  rejected: "off",
  withdrawn: "off",
  expired: "off",
  failed: "bad",
};

const STATES: readonly (readonly [string, string])[] = [
  ["", "Waiting"],
  ["all", "All"],
  ["executed", "Executed"],
  ["rejected", "Rejected"],
  ["withdrawn", "Withdrawn"],
  ["expired", "Expired"],
  ["failed", "Failed"],
];

function systemOf(change: Change): string | undefined {
  return /\/systems\/([^/]+)/.exec(change.request.path)?.[1];
}

function about(change: Change): string {
  const agents = change.agents.length > 3 ? plural(change.agents.length, "agent") : change.agents.join(", ");
  const system = systemOf(change);
  return system === undefined ? agents : `${system} at ${agents}`;
}

const COLUMNS: readonly Column<Change>[] = [
  { id: "what", head: "What", cell: (change) => <span className="strong">{KINDS[change.kind]}</span> },
  { id: "about", head: "Of", cell: about },
  { id: "by", head: "Proposed by", cell: (change) => change.author, drop: 2 },
  { id: "reason", head: "Reason", cell: (change) => <span className="muted">{change.reason}</span>, drop: 1 },
  { id: "at", head: "Since", cell: (change) => <Ago at={change.created_at} />, drop: 3 },
  {
    id: "state",
    head: "State",
    cell: (change) => (
      <>
        <Badge tone={TONES[change.state]}>{change.state}</Badge>
        {!change.intact && <Badge tone="bad">row changed outside</Badge>}
      </>
    ),
  },
];

export default function ChangesPage() {
  const [search, setSearch] = useUrl();
  const wanted = STATES.find(([id]) => id === search["state"])?.[0] ?? "";
  const state = wanted === "" ? "waiting" : wanted;
  const moving = useMoving();
  const { data, error, refetch } = useQuery({
    queryKey: ["changes", state],
    queryFn: async () =>
      (
        await done(
          api.GET("/api/v1/changes", { params: { query: state === "all" ? {} : { state: state as State } } }),
        )
      ).changes,
    refetchInterval: moving ? LOOK_MS : false,
  });
  return (
    <Page title="Changes">
      <div className="selection">
        <SelectField
          label="State"
          value={wanted}
          options={STATES}
          onChange={(next) => {
            setSearch({ state: next });
          }}
        />
      </div>
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : data.length === 0 ? (
        <Empty title={wanted === "" ? "Nothing waits for a second person" : "No change is like that"}>
          <p>
            Engineers propose here what only an Admin may do, for example the deployment of a system. Where the broker is
            configured so, an Admin's own deployment waits here, too.
          </p>
        </Empty>
      ) : (
        <Panel flush>
          <DataTable
            label="Changes"
            columns={COLUMNS}
            rows={data}
            rowKey={(change) => change.id}
            onOpen={(change) => {
              setSearch({ id: change.id });
            }}
          />
        </Panel>
      )}
      {search["id"] !== undefined && search["id"] !== "" && (
        <OneChange
          id={search["id"]}
          onClose={() => {
            setSearch({ id: undefined });
          }}
        />
      )}
    </Page>
  );
}

function OneChange({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const moving = useMoving();
  const { data: change, error } = useQuery({
    queryKey: ["changes", "one", id],
    queryFn: () => done(api.GET("/api/v1/changes/{id}", { params: { path: { id } } })),
    refetchInterval: moving ? LOOK_MS : false,
  });
  return (
    <Dialog open title={change === undefined ? "One change" : KINDS[change.kind]} onClose={onClose} wide>
      {error !== null && <Failure error={error} />}
      {change === undefined ? error === null && <Loading rows={4} /> : <Shown change={change} />}
    </Dialog>
  );
}

function Shown({ change }: { readonly change: Change }) {
  const waits = change.state === "waiting";
  const outcome = change.outcome as { readonly title?: string; readonly detail?: string } | null;
  const diff = (change.diff as SettingChanges | undefined) ?? {};
  return (
    <>
      <div className="state-line">
        <Badge tone={TONES[change.state]}>{change.state}</Badge>
        <strong>{about(change)}</strong>
      </div>
      {!change.intact && (
        <Note kind="bad">
          What stands in the database is not what a broker wrote, so nobody can approve it. Reject it, and find out who
          changed the row.
        </Note>
      )}
      {change.state === "failed" && <Note kind="bad">{outcome?.detail ?? outcome?.title ?? "It was not done."}</Note>}
      <Facts
        facts={[
          { name: "Proposed by", value: `${change.author}, ${moment(change.created_at)}` },
          ...(change.reason === "" ? [] : [{ name: "Reason", value: change.reason }]),
          {
            name: "Request",
            value: (
              <code>
                {change.request.method} {change.request.path}
              </code>
            ),
          },
          ...Object.entries(change.target).map(([name, value]) => ({ name: `Builds on ${name.replaceAll("_", " ")}`, value })),
          ...(waits
            ? [
                { name: "Waits until", value: <Ago at={change.expires_at} /> },
                { name: "For", value: `another ${change.needs.roles.join(" or ")}` },
              ]
            : []),
          ...(change.decided_by === null
            ? []
            : [
                {
                  name: "Decided by",
                  value: `${change.decided_by}${change.decided_at === null ? "" : `, ${moment(change.decided_at)}`}`,
                },
              ]),
          ...(change.comment === null || change.comment === "" ? [] : [{ name: "Comment", value: change.comment }]),
        ]}
      />
      {Object.keys(diff).length > 0 && <ChangeList changes={diff} />}
      {waits && <Decide change={change} />}
    </>
  );
}

type Verb = "approve" | "reject" | "withdraw";

function Decide({ change }: { readonly change: Change }) {
  const can = useCan();
  const me = useMe();
  const queries = useQueryClient();
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const own = change.author === me.email;
  const lacking = ["changes:approve", ...change.needs.permissions].find((permission) => !can(permission));
  const why = lacking === undefined ? undefined : `Needs the permission ${lacking}`;

  async function decide(verb: Verb) {
    setBusy(true);
    setFailure(null);
    try {
      await done(
        api.POST(`/api/v1/changes/{id}/${verb}` as "/api/v1/changes/{id}/approve", {
          params: { path: { id: change.id } },
          body: some(comment.trim() === "" ? {} : { comment: comment.trim() }),
        }),
      );
      await queries.invalidateQueries({ queryKey: ["systems"] });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
      await queries.invalidateQueries({ queryKey: ["changes"] });
    }
  }

  return (
    <div className="stack">
      {own && (
        <Note kind="info">
          You proposed it, so somebody else decides.{" "}
          {change.approvers === 0
            ? "At the moment nobody else could: it takes another account with that role."
            : `${plural(change.approvers, "account")} could.`}
        </Note>
      )}
      <TextField label="Comment" value={comment} onChange={setComment} maxLength={1000} />
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        {own ? (
          <Button disabled={busy} onClick={() => void decide("withdraw")}>
            Withdraw it
          </Button>
        ) : (
          <>
            <Button kind="primary" disabled={busy} why={why} onClick={() => void decide("approve")}>
              Approve, and do it
            </Button>
            <Button kind="danger" disabled={busy} why={why} onClick={() => void decide("reject")}>
              Reject
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
