import { useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { api, done, some } from "../../api/client";
import type { Agent } from "../../live/agentPatches";
import { Button, Failure, TextField } from "../../parts/basics";
import { Dialog } from "../../parts/Dialog";
import { labelsOf } from "../enrollment/NewToken";

/** What has to be sent so that the labels are these: a label that goes away is null. */
export function labelChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string | null> {
  const gone = Object.keys(before).filter((name) => !(name in after));
  const set = Object.entries(after).filter(([name, value]) => before[name] !== value);
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...Object.fromEntries(set) };
}

export function EditLabels({ agent, open, onClose }: { readonly agent: Agent; readonly open: boolean; readonly onClose: () => void }) {
  return (
    <Dialog open={open} title={`Labels of ${agent.id}`} onClose={onClose}>
      <Form agent={agent} onClose={onClose} />
    </Dialog>
  );
}

function Form({ agent, onClose }: { readonly agent: Agent; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [text, setText] = useState(() =>
    Object.entries(agent.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(", "),
  );
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const labels = labelsOf(text);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (labels === null) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await done(
        api.PATCH("/api/v1/agents/{id}", {
          params: { path: { id: agent.id } },
          body: some({ labels: labelChanges(agent.labels, labels) }),
        }),
      );
      await queries.invalidateQueries({ queryKey: ["agent", agent.id] });
      await queries.invalidateQueries({ queryKey: ["agents"] });
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <TextField
        label="Labels"
        value={text}
        onChange={setText}
        placeholder="hall=8, line=blue"
        spellCheck={false}
        autoComplete="off"
        error={labels === null ? "Write name=value, with commas between: hall=8, line=blue." : undefined}
        hint="Rights of users and service accounts may hang on them; the agent's record is signed again."
      />
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        <Button kind="primary" submit disabled={busy || labels === null}>
          {busy ? "Saving…" : "Save"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
