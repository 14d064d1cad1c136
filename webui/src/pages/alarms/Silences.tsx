import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { api, done, some } from "../../api/client";
import { useCan } from "../../auth/session";
import { Ago, Button, Empty, Failure, Loading, Note, SelectField, TextField } from "../../parts/basics";
import { brokerNow } from "../../api/brokerTime";
import { DataTable } from "../../parts/DataTable";
import { Dialog } from "../../parts/Dialog";
import { Panel } from "../../parts/Page";

const HOURS: readonly (readonly [string, string])[] = [
  ["1", "1 hour"],
  ["4", "4 hours"],
  ["24", "1 day"],
  ["168", "7 days"],
];

/** What is silenced: alarms of a kind, about something, or both. */
export interface Wish {
  readonly kind: string;
  readonly subject: string;
}

/** Alarms that wake nobody for a while; they are raised and shown all the same. */
export function Silences() {
  const can = useCan();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["silences"],
    queryFn: () => done(api.GET("/api/v1/silences")),
  });
  const [adding, setAdding] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const why = can("alarms:acknowledge") ? undefined : "Needs the role Operator";

  async function end(id: number) {
    setFailure(null);
    try {
      await done(api.DELETE("/api/v1/silences/{id}", { params: { path: { id: String(id) } } as never }));
    } catch (problem) {
      setFailure(problem);
    } finally {
      await queries.invalidateQueries({ queryKey: ["silences"] });
      await queries.invalidateQueries({ queryKey: ["alarms"] });
    }
  }

  const add = (
    <Button
      kind="primary"
      why={why}
      onClick={() => {
        setAdding(true);
      }}
    >
      Silence alarms…
    </Button>
  );
  return (
    <>
      {(error ?? failure) !== null && <Failure error={error ?? failure} again={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Loading rows={3} />
      ) : data.length === 0 ? (
        <Empty title="Nothing is silenced" action={add}>
          <p>During planned work, silence what it will raise: nobody is woken, and the alarms are here all the same.</p>
        </Empty>
      ) : (
        <Panel title="Silences" beside={add} flush>
          <DataTable
            label="Silences"
            rows={data}
            rowKey={(silence) => String(silence.id)}
            columns={[
              { id: "kind", head: "Kind", cell: (silence) => silence.kind ?? <span className="muted">every kind</span> },
              { id: "about", head: "About", cell: (silence) => silence.subject ?? <span className="muted">everything</span> },
              { id: "until", head: "Ends", cell: (silence) => <Ago at={silence.until} /> },
              { id: "reason", head: "Reason", cell: (silence) => silence.reason, drop: 2 },
              { id: "by", head: "By", cell: (silence) => silence.created_by, drop: 1 },
              {
                id: "do",
                head: "",
                align: "end",
                cell: (silence) => (
                  <Button why={why} label={`End the silence of ${silence.kind ?? silence.subject ?? ""}`} onClick={() => void end(silence.id)}>
                    End it
                  </Button>
                ),
              },
            ]}
          />
        </Panel>
      )}
      <NewSilence
        open={adding}
        wish={{ kind: "", subject: "" }}
        onClose={() => {
          setAdding(false);
        }}
      />
    </>
  );
}

export function NewSilence({
  open,
  wish,
  onClose,
}: {
  readonly open: boolean;
  readonly wish: Wish;
  readonly onClose: () => void;
}) {
  return (
    <Dialog open={open} title="Silence alarms" onClose={onClose}>
      <Form wish={wish} onClose={onClose} />
    </Dialog>
  );
}

function Form({ wish, onClose }: { readonly wish: Wish; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { data: kinds } = useQuery({
    queryKey: ["alarm-kinds"],
    queryFn: async () => (await done(api.GET("/api/v1/alarms/kinds"))).kinds,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [kind, setKind] = useState(wish.kind);
  const [subject, setSubject] = useState(wish.subject);
  const [hours, setHours] = useState("4");
  const [reason, setReason] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const nothing = kind === "" && subject.trim() === "";

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await done(
        api.POST("/api/v1/silences", {
          body: some({
            ...(kind === "" ? {} : { kind }),
            ...(subject.trim() === "" ? {} : { subject: subject.trim() }),
            until: new Date(brokerNow() + Number(hours) * 3_600_000).toISOString(),
            reason,
          }),
        }),
      );
      await queries.invalidateQueries({ queryKey: ["silences"] });
      await queries.invalidateQueries({ queryKey: ["alarms"] });
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <SelectField
        label="Kind"
        value={kind}
        options={[["", "Every kind"], ...(kinds ?? []).map((it) => [it.code, it.title] as const)]}
        onChange={setKind}
      />
      <TextField
        label="About"
        value={subject}
        onChange={setSubject}
        placeholder="plant-7"
        spellCheck={false}
        hint="The agent, user or address that the alarm names. Left empty: whatever it is about."
      />
      <SelectField label="For" value={hours} options={HOURS} onChange={setHours} />
      <TextField label="Reason" value={reason} onChange={setReason} required maxLength={500} hint="For whoever looks, for example a ticket." />
      {failure !== null && <Failure error={failure} />}
      {nothing && <Note kind="info">Choose a kind, or say what the alarms are about.</Note>}
      <div className="actions">
        <Button kind="primary" submit disabled={busy || nothing || reason.trim() === ""}>
          {busy ? "Working…" : "Silence them"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
