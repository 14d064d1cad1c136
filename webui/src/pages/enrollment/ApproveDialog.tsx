import { useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { api, ApiError, done } from "../../api/client";
import type { Agent } from "../../live/agentPatches";
import { Button, Failure, Note, TextField } from "../../parts/basics";
import { Dialog } from "../../parts/Dialog";

/** `abcd efgh` and `ABCD-EFGH` are one fingerprint. */
export function fingerprintOf(typed: string): string {
  const letters = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
  return letters.length === 8 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : typed.trim().toUpperCase();
}

/** Whoever approves says what the agent's own screen shows: that is what makes it the right machine. */
export function ApproveDialog(of: Question & { readonly open: boolean }) {
  const { agent, release, open, onClose } = of;
  return (
    <Dialog open={open} title={release ? `Release ${agent.id}` : `Approve ${agent.id}`} onClose={onClose}>
      <ApproveForm agent={agent} release={release} onClose={onClose} />
    </Dialog>
  );
}

interface Question {
  readonly agent: Agent;
  /** From quarantine, with the fingerprint it had. */
  readonly release: boolean;
  readonly onClose: () => void;
}

function ApproveForm({ agent, release, onClose }: Question) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const ours = release ? agent.fingerprint : (agent.pending_fingerprint ?? agent.fingerprint);
  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      const call = {
        params: { path: { id: agent.id } },
        body: { fingerprint: fingerprintOf(typed) },
      };
      await done(
        release
          ? api.POST("/api/v1/agents/{id}/release", call)
          : api.POST("/api/v1/agents/{id}/approve", call),
      );
      await queries.invalidateQueries({ queryKey: ["agents"] });
      await queries.invalidateQueries({ queryKey: ["agent", agent.id] });
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  const other = fingerprintOf(typed).length === 9 && fingerprintOf(typed) !== ours;
  return (
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <p>
          Read the fingerprint <strong>on the agent's machine</strong>: it prints it every 30 seconds and
          keeps it in the file <code>fingerprint</code> of its data directory. Type what stands there.
        </p>
        <TextField
          label="Fingerprint that the agent shows"
          value={typed}
          onChange={setTyped}
          placeholder="XXXX-XXXX"
          autoFocus
          autoComplete="off"
          spellCheck={false}
        />
        {other && (
          <Note kind="bad">
            The broker knows this agent by another fingerprint. Type it again; if it stays so, another
            machine asks under this name: reject it.
          </Note>
        )}
        {failure !== null && (
          <>
            <Failure error={failure} />
            {failure instanceof ApiError && failure.title === "proof-missing" && (
              <Note kind="info">Wait until it is connected, then approve again. What you typed is kept.</Note>
            )}
          </>
        )}
        <p className="muted">
          {release
            ? "Released, it connects again, and the copy of it that raised the alarm may too: be sure which machine is yours."
            : `Approved, it serves calls for the site ${agent.site}, from whichever systems are configured or stand in its file.`}
        </p>
        <div className="actions">
          <Button kind="primary" submit disabled={busy || typed.trim() === ""}>
            {busy ? "Working…" : release ? "Release" : "Approve"}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
  );
}
