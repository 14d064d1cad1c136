import { useQueryClient } from "@tanstack/react-query";
import { useId, useState, type SubmitEvent } from "react";
import { api, done, some } from "../../api/client";
import { Button, Failure, SelectField, TextField } from "../../parts/basics";
import { Dialog } from "../../parts/Dialog";

export interface Created {
  readonly id: string;
  readonly token: string;
  readonly expires_at: string;
  readonly agent: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const LIFE: readonly (readonly [string, string])[] = [
  ["600", "10 minutes"],
  ["3600", "1 hour"],
  ["28800", "8 hours"],
  ["86400", "24 hours"],
];

/** `hall=8, line=blue` as labels; null if it is not that. */
export function labelsOf(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {};
  for (const part of text.split(",").map((it) => it.trim())) {
    if (part === "") {
      continue;
    }
    const equals = part.indexOf("=");
    if (equals < 1) {
      return null;
    }
    labels[part.slice(0, equals).trim()] = part.slice(equals + 1).trim();
  }
  return labels;
}

export function NewToken({
  open,
  onClose,
  onCreated,
}: {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onCreated: (created: Created) => void;
}) {
  return (
    <Dialog
      open={open}
      title="Create an enrollment token"
      description="One agent may ask for trust with it, once, within its time."
      onClose={onClose}
    >
      <Form onClose={onClose} onCreated={onCreated} />
    </Dialog>
  );
}

function Form({
  onClose,
  onCreated,
}: {
  readonly onClose: () => void;
  readonly onCreated: (created: Created) => void;
}) {
  const queries = useQueryClient();
  const [agent, setAgent] = useState("");
  const [site, setSite] = useState("");
  const [labels, setLabels] = useState("");
  const [cidrs, setCidrs] = useState("");
  const [life, setLife] = useState("3600");
  const [again, setAgain] = useState(false);
  const [tried, setTried] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();

  const agentError = !NAME.test(agent)
    ? agent === ""
      ? "Name the agent, for example after its plant: plant-7."
      : "1 to 63 letters, digits, dots, hyphens or underscores, beginning with a letter or digit."
    : undefined;
  const siteError = site !== "" && !NAME.test(site) ? "Letters, digits, dots, hyphens or underscores." : undefined;
  const labelError = labelsOf(labels) === null ? "Write name=value, with commas between: hall=8, line=blue." : undefined;

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setTried(true);
    if (agentError !== undefined || siteError !== undefined || labelError !== undefined) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      const networks = cidrs.split(/[\s,]+/).filter((it) => it !== "");
      const answer = await done(
        api.POST("/api/v1/enrollment-tokens", {
          body: some({
            agent,
            ...(site === "" ? {} : { site }),
            labels: labelsOf(labels) ?? {},
            ttl_seconds: Number(life),
            ...(networks.length === 0 ? {} : { allowed_cidrs: networks }),
            ...(again ? { reenroll: true } : {}),
          }),
        }),
      );
      void queries.invalidateQueries({ queryKey: ["tokens"] });
      onCreated({ ...answer, agent });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
      <TextField
        label="Agent"
        value={agent}
        onChange={setAgent}
        autoFocus
        required
        spellCheck={false}
        autoComplete="off"
        error={tried ? agentError : undefined}
        hint="Only an agent of this name can use the token."
      />
      <TextField
        label="Site"
        value={site}
        onChange={setSite}
        spellCheck={false}
        autoComplete="off"
        error={tried ? siteError : undefined}
        hint="Agents of one site reach the same systems. Left empty, the agent is its own site."
      />
      <SelectField label="Valid for" value={life} options={LIFE} onChange={setLife} />
      <details>
        <summary>Labels, networks, enrolling again</summary>
        <div className="stack">
          <TextField
            label="Labels"
            value={labels}
            onChange={setLabels}
            placeholder="hall=8, line=blue"
            error={tried ? labelError : undefined}
          />
          <TextField
            label="Only from these networks"
            value={cidrs}
            onChange={setCidrs}
            placeholder="203.0.113.0/24"
            hint="Left empty: from anywhere."
          />
          <p className="check-line">
            <input
              id={id}
              type="checkbox"
              checked={again}
              onChange={(event) => {
                setAgain(event.target.checked);
              }}
            />
            <label htmlFor={id}>Enroll an existing agent again, on a new machine</label>
          </p>
        </div>
      </details>
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        <Button kind="primary" submit disabled={busy}>
          {busy ? "Creating…" : "Create the token"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
