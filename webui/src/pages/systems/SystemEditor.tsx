import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useBlocker, useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useRef, useState, type SubmitEvent } from "react";
import { api, ApiError, done, some } from "../../api/client";
import { Button, Failure, Loading, Note, SelectField, TextField } from "../../parts/basics";
import { Panel } from "../../parts/Page";
import { pluginsQuery } from "../../parts/queries";
import { destinationOf, seal, SealError } from "../../seal";
import { fingerprintOf } from "../enrollment/ApproveDialog";
import { SchemaForm } from "./SchemaForm";
import { destinationsOf, problemsOf, secretsOf, settled, type Schema, type Values } from "./schema";
import {
  DamagedPinsError,
  fetchSealingKey,
  NO_PINS,
  prove,
  remembered,
  storedPins,
  storePins,
  type Proven,
} from "./trust";

/** What is edited: nothing yet, or a version. */
export interface Editing {
  readonly system: string;
  readonly plugin: string;
  readonly version: number;
  readonly settings: Values;
  readonly secretNames: readonly string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a new system of the kind most wanted begins with. */
const FIRST_RULE = [{ methods: ["GET"], paths: ["/**"] }];

export function SystemEditor({ agent, old }: { readonly agent: string; readonly old: Editing | null }) {
  const { data: plugins, error } = useQuery(pluginsQuery);
  const [plugin, setPlugin] = useState(old?.plugin ?? "http");
  // Another plugin has other settings; the name is the same.
  const [system, setSystem] = useState(old?.system ?? "");
  const known = plugins?.find((it) => it.name === plugin) ?? plugins?.[0];
  if (error !== null) {
    return <Failure error={error} />;
  }
  if (plugins === undefined || known === undefined) {
    return <Loading />;
  }
  return (
    <Editor
      key={known.name}
      agent={agent}
      old={old}
      plugin={known.name}
      root={known.schema}
      choices={plugins.map((it) => it.name)}
      onPlugin={setPlugin}
      system={system}
      onSystem={setSystem}
    />
  );
}

function Editor({
  agent,
  old,
  plugin,
  root,
  choices,
  onPlugin,
  system,
  onSystem,
}: {
  readonly agent: string;
  readonly old: Editing | null;
  readonly plugin: string;
  readonly root: Schema;
  readonly choices: readonly string[];
  readonly onPlugin: (plugin: string) => void;
  readonly system: string;
  readonly onSystem: (system: string) => void;
}) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [values, setValues] = useState<Values>(
    old?.settings ?? (root.properties?.["allow"] === undefined ? {} : { allow: FIRST_RULE }),
  );
  const [dropSecrets, setDropSecrets] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [fromBroker, setFromBroker] = useState<ReadonlyMap<string, string>>(new Map());
  const [confirm, setConfirm] = useState<Proven | null>(null);
  // Nothing is remembered any more, so a person has to look at the key.
  const [forgot, setForgot] = useState(false);
  const [typed, setTyped] = useState("");
  const saved = useRef(false);
  const form = useRef<HTMLFormElement>(null);
  const dropId = useId();

  const secretFields = useMemo(() => secretsOf(root), [root]);
  const destinations = useMemo(() => destinationsOf(root), [root]);
  const moved = old !== null && destinations.some((name) => (values[name] ?? "") !== (old.settings[name] ?? ""));
  const kept = useMemo(() => (old === null || moved || dropSecrets ? [] : old.secretNames), [old, moved, dropSecrets]);
  const missing = useMemo(() => (moved && !dropSecrets ? old.secretNames : []), [old, moved, dropSecrets]);

  const problems = useMemo(() => {
    const found = new Map(problemsOf(root, values, kept));
    for (const name of missing) {
      if (settled(values)[name] === undefined) {
        found.set(`/${name}`, "The destination changed: type it again.");
      }
    }
    return found;
  }, [root, values, kept, missing]);
  const nameError = !NAME.test(system)
    ? system === ""
      ? "Name the system, for example erp."
      : "1 to 63 letters, digits, dots, hyphens or underscores."
    : undefined;

  const dirty = values !== old?.settings && (tried || Object.keys(values).length > 1 || system !== (old?.system ?? ""));
  useBlocker({
    shouldBlockFn: () =>
      dirty && !saved.current && !window.confirm("Leave this form? What you entered is not kept."),
    enableBeforeUnload: () => dirty && !saved.current,
  });

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setTried(true);
    setFailure(null);
    setFromBroker(new Map());
    if (nameError !== undefined || problems.size > 0) {
      setTimeout(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    try {
      await save();
    } catch (error) {
      setFailure(error);
      if (error instanceof ApiError) {
        setFromBroker(
          new Map(error.findings.map((it) => [it.path, `Expected ${it.expected}, found ${it.found}.`])),
        );
      }
    } finally {
      setBusy(null);
    }
  }

  async function save() {
    const all = settled(values);
    const secrets = Object.fromEntries(secretFields.filter((name) => name in all).map((name) => [name, all[name]]));
    const settings = Object.fromEntries(Object.entries(all).filter(([name]) => !secretFields.includes(name)));
    const names = Object.keys(secrets);
    const body: Record<string, unknown> = { plugin, settings, expected_version: old?.version ?? 0 };
    if (names.length > 0) {
      const left = kept.filter((name) => !names.includes(name));
      if (left.length > 0) {
        throw new SealError(
          `Secrets are sealed together: type ${left.join(", ")} too, or leave all of them empty to keep them.`,
        );
      }
      setBusy("Sealing…");
      const pins = forgot ? NO_PINS : storedPins();
      const proven = await prove(agent, await fetchSealingKey(agent), pins, new Date());
      if ((proven.changed || forgot) && fingerprintOf(typed) !== proven.record.fingerprint) {
        setConfirm(proven);
        throw new SealError(
          typed === ""
            ? "Nothing was sealed or sent yet: confirm the agent's fingerprint first."
            : "That is not the fingerprint in the agent's signed record. Nothing was sealed or sent.",
        );
      }
      const owner = {
        agent,
        generation: proven.record.generation,
        system,
        destination: await destinationOf(settings, destinations),
      };
      body["sealed"] = await seal(secrets, owner, proven.record.sealingPublic);
      body["secret_names"] = names;
      storePins(remembered(pins, proven));
    } else if (dropSecrets) {
      body["sealed"] = null;
      body["secret_names"] = [];
    } else if (kept.length > 0) {
      body["carry_secrets"] = true;
    }
    setBusy("Saving…");
    await done(
      api.PUT("/api/v1/agents/{id}/systems/{system}", {
        params: { path: { id: agent, system } },
        body: some(body as never),
      }),
    );
    saved.current = true;
    await queries.invalidateQueries({ queryKey: ["systems", agent] });
    await navigate({ to: "/agents/$agent/systems/$system", params: { agent, system } });
  }

  const shown = new Map([...(tried ? problems : []), ...fromBroker]);
  return (
    <Panel>
      <form ref={form} className="stack form" onSubmit={(event) => void submit(event)} noValidate>
        {old === null && (
          <div className="grid-2">
            <TextField
              label="Name"
              value={system}
              onChange={onSystem}
              autoFocus
              required
              spellCheck={false}
              autoComplete="off"
              error={tried ? nameError : undefined}
              hint="Callers use it: /invoke/site/name/…"
            />
            <SelectField
              label="Plugin"
              value={plugin}
              options={choices.map((it) => [it, it] as const)}
              onChange={onPlugin}
              {...(root.description === undefined ? {} : { hint: root.description })}
            />
          </div>
        )}
        <SchemaForm
          root={root}
          values={values}
          onChange={setValues}
          problems={shown}
          keptSecrets={kept}
        />
        {old !== null && old.secretNames.length > 0 && (
          <p className="check-line">
            <input
              id={dropId}
              type="checkbox"
              checked={dropSecrets}
              onChange={(event) => {
                setDropSecrets(event.target.checked);
              }}
            />
            <label htmlFor={dropId}>Drop the sealed secrets ({old.secretNames.join(", ")})</label>
          </p>
        )}
        {confirm !== null && (
          <>
            <Note kind="warn">
              {forgot
                ? "This browser remembers no key of this agent any more. "
                : "This agent's key is not the one this browser sealed to before: it was enrolled anew or got new keys. "}
              Read the fingerprint on the agent's machine and type it.
            </Note>
            <TextField
              label="Fingerprint that the agent shows"
              value={typed}
              onChange={setTyped}
              placeholder="XXXX-XXXX"
              autoComplete="off"
              spellCheck={false}
            />
          </>
        )}
        {failure !== null && <Failure error={failure} />}
        {failure instanceof DamagedPinsError && (
          <div className="actions">
            <Button
              onClick={() => {
                setForgot(true);
                setFailure(null);
              }}
            >
              Forget it, and confirm the agent's fingerprint
            </Button>
          </div>
        )}
        {tried && shown.size > 0 && failure === null && (
          <Note kind="bad">{shown.size === 1 ? "One field needs" : "Some fields need"} another look.</Note>
        )}
        <div className="actions">
          <Button kind="primary" submit disabled={busy !== null}>
            {busy ?? (old === null ? "Save version 1" : "Save as a new version")}
          </Button>
          {old === null ? (
            <Link to="/agents/$agent" params={{ agent }} search={{ tab: "systems" } as never} className="button plain">
              Cancel
            </Link>
          ) : (
            <Link to="/agents/$agent/systems/$system" params={{ agent, system }} className="button plain">
              Cancel
            </Link>
          )}
          <span className="muted">Saving changes nothing yet: a version serves when it is deployed.</span>
        </div>
      </form>
    </Panel>
  );
}
