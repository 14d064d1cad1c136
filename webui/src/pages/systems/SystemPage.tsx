import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { BROKER } from "../../api/base";
import { acted, api, ApiError, done, some } from "../../api/client";
import type { components } from "../../api/schema";
import { useCan } from "../../auth/session";
import { Ago, Badge, Button, CodeBlock, Empty, Facts, Failure, Loading, Note, SelectField, TextField } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Confirm } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { agentQuery, systemQuery, versionsQuery } from "../../parts/queries";
import { moment, ms } from "../../parts/words";
import { ChangeList, type SettingChanges } from "./ChangeList";
import { journeyOf } from "./journey";
import { SystemBadge } from "./SystemsOf";

type Details = components["schemas"]["SystemDetails"];
type Version = components["schemas"]["SystemVersion"];
type Report = components["schemas"]["TestReport"];

export default function SystemPage() {
  const { agent = "", system = "" } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(systemQuery(agent, system));
  const above = (
    <>
      <Link to="/agents">Agents</Link> /{" "}
      <Link to="/agents/$agent" params={{ agent }}>
        {agent}
      </Link>
    </>
  );
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Page title={system} above={above}>
        <Empty title="No such system">
          <p>It was removed, or stands only in the agent's own file.</p>
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title={system}
      above={above}
      beside={data !== undefined && <Actions agent={agent} system={data} />}
    >
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {data === undefined ? error === null && <Loading /> : <Shown agent={agent} system={data} />}
    </Page>
  );
}

function Shown({ agent, system }: { readonly agent: string; readonly system: Details }) {
  const can = useCan();
  const { data: of } = useQuery(agentQuery(agent));
  const target = `${of?.site ?? agent}/${system.system}`;
  const receipt = system.last_receipt;
  const about = receipt !== null && receipt.version === Math.max(system.deployed_version, 1) ? receipt : null;
  return (
    <>
      <div className="state-line">
        <SystemBadge state={system.state} drift={system.drift} />
        <span>{system.plugin}</span>
        <span>
          newest version <strong>{system.version}</strong>
        </span>
        {system.applied_version > 0 && (
          <span>
            serving <strong>{system.applied_version}</strong>
          </span>
        )}
      </div>
      {system.version > system.deployed_version && (
        <Note kind="info">
          Version {system.version} is saved and not deployed
          {system.deployed_version === 0 ? ": this system does not serve yet." : `: version ${String(system.deployed_version)} is.`}
        </Note>
      )}
      {system.state === "buffered" && of !== undefined && !of.online && (
        <Note kind="warn">
          The agent is offline. The configuration is kept, and goes out first thing when it is back.
        </Note>
      )}
      {about?.outcome === "refused" && (
        <Note kind="bad">
          <p>
            The agent refused version {about.version}: <strong>{about.reason}</strong>
            {about.detail !== null && <>. {about.detail}</>}
          </p>
          <p>
            {system.applied_version > 0
              ? `Version ${String(system.applied_version)} goes on serving.`
              : "Nothing serves."}{" "}
            Edit it and deploy another version.
          </p>
        </Note>
      )}
      {system.drift && about?.outcome !== "refused" && (
        <Note kind="bad">What the agent runs is not what was deployed. Look at its log; deploying again repairs it.</Note>
      )}
      <Panel title={`Version ${String(system.deployed_version === 0 ? system.version : system.deployed_version)}`}>
        <ol className="journey" aria-label="On its way">
          {journeyOf(system.state, about?.reason ?? null).map((stop) => (
            <li key={stop.name} className={stop.at}>
              <span className="stop" aria-hidden="true" />
              <strong>{stop.name}</strong>
              <span className="sr">
                {stop.at === "done" ? ": done" : stop.at === "now" ? ": now" : stop.at === "bad" ? ": refused" : ": not yet"}
              </span>
              <span className="muted">{stop.text}</span>
            </li>
          ))}
        </ol>
        {receipt !== null && (
          <p className="muted">
            Last signed receipt: version {receipt.version} {receipt.outcome}, {moment(receipt.at)}.
          </p>
        )}
      </Panel>
      <div className="columns">
        <Panel title="Settings">
          <Settings settings={system.settings} secrets={system.secret_names} />
        </Panel>
        <Panel title="Calling it">
          <p className="muted">
            With a token of a{" "}
            {can("service-accounts:manage") ? (
              <Link to="/access" search={{ tab: "services", invoke: target } as never}>
                service account
              </Link>
            ) : (
              "service account"
            )}{" "}
            that may invoke <span className="mono">{target}</span>. The first line asks for it, so that it is in no
            command. A broker with a development certificate wants <span className="mono">--cacert</span> with its{" "}
            <span className="mono">ca.pem</span> as well.
          </p>
          <CodeBlock
            label="Example call"
            text={`printf 'Token: ' && read -rs TOKEN && printf 'Authorization: Bearer %s\\n' "$TOKEN" > call.header\ncurl -H @call.header ${BROKER}/invoke/${target}/`}
          />
          <Facts
            facts={[
              { name: "Changed", value: <Ago at={system.updated_at} /> },
              { name: "By", value: system.updated_by },
              {
                name: "Secrets sealed to",
                value:
                  system.recipients.length === 0
                    ? "none"
                    : system.recipients
                        .map((it) => (it.of_agent ? "the agent" : `recovery key ${it.key_id.slice(0, 8)}`))
                        .join(", "),
              },
            ]}
          />
        </Panel>
      </div>
      <History agent={agent} system={system} />
    </>
  );
}

export function Settings({
  settings,
  secrets,
}: {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}) {
  return (
    <Facts
      facts={[
        ...Object.entries(settings).map(([name, value]) => ({ name, value: <Value value={value} /> })),
        ...secrets.map((name) => ({
          name,
          value: <Badge tone="info">sealed, never shown</Badge>,
        })),
      ]}
    />
  );
}

function Value({ value }: { readonly value: unknown }) {
  if (Array.isArray(value)) {
    return (
      <ul className="plain-list">
        {value.map((item, index) => (
          <li key={index}>
            <code>{wordsOf(item)}</code>
          </li>
        ))}
      </ul>
    );
  }
  return <code>{wordsOf(value)}</code>;
}

function wordsOf(value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.values(value)
      .map((part) => (Array.isArray(part) ? part.join(", ") : String(part)))
      .join("  ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Actions({ agent, system }: { readonly agent: string; readonly system: Details }) {
  const can = useCan();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [doing, setDoing] = useState<"deploy" | "propose" | "delete" | null>(null);
  const [reason, setReason] = useState("");
  const [report, setReport] = useState<Report | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [testing, setTesting] = useState(false);
  const params = { params: { path: { id: agent, system: system.system } } };
  const again = () => queries.invalidateQueries({ queryKey: ["systems", agent] });
  const close = () => {
    setDoing(null);
  };
  const proposes = !can("systems:deploy") && can("changes:create");
  /** Where it is configured so, nothing is done before a second person approves. */
  const shown = async (change: string | null) => {
    await again();
    if (change !== null) {
      await navigate({ to: "/changes", search: { id: change } as never });
    }
  };

  async function test() {
    setTesting(true);
    setFailure(null);
    setReport(null);
    try {
      setReport(
        await done(
          api.POST("/api/v1/agents/{id}/systems/{system}/test", {
            ...params,
            body: some({ version: system.version }),
          }),
        ),
      );
    } catch (error) {
      setFailure(error);
    } finally {
      setTesting(false);
    }
  }

  return (
    <>
      <Button
        disabled={testing}
        why={can("systems:test") ? undefined : "Needs the role Engineer"}
        onClick={() => void test()}
      >
        {testing ? "Testing…" : "Test"}
      </Button>
      {can("systems:update") ? (
        <Link
          to="/agents/$agent/systems/$system/edit"
          params={{ agent, system: system.system }}
          className="button plain"
        >
          Edit
        </Link>
      ) : (
        <Button why="Needs the role Engineer">Edit</Button>
      )}
      <Button
        kind={system.version > system.deployed_version ? "primary" : "plain"}
        why={can("systems:deploy") || proposes ? undefined : "Needs the role Admin"}
        onClick={() => {
          setReason("");
          setDoing(proposes ? "propose" : "deploy");
        }}
      >
        {proposes ? "Propose to deploy…" : "Deploy…"}
      </Button>
      <Button
        kind="danger"
        why={can("systems:delete") ? undefined : "Needs the role Admin"}
        onClick={() => {
          setDoing("delete");
        }}
      >
        Delete…
      </Button>
      <TestResult
        report={report}
        failure={failure}
        onClose={() => {
          setReport(null);
          setFailure(null);
        }}
        version={system.version}
      />
      <Confirm
        open={doing === "deploy"}
        title={`Deploy version ${String(system.version)} of ${system.system}`}
        typed=""
        action="Deploy"
        kind="primary"
        onClose={close}
        onConfirm={async () => {
          await shown(
            await acted(
              api.POST("/api/v1/agents/{id}/systems/{system}/deploy", {
                ...params,
                body: some({ version: system.version }),
              }),
            ),
          );
        }}
      >
        <p>
          {system.applied_version === 0
            ? `${system.system} becomes callable behind ${agent}, for whoever may invoke it.`
            : `It takes the place of version ${String(system.applied_version)}. Calls that run finish on the old one.`}
        </p>
      </Confirm>
      <Confirm
        open={doing === "propose"}
        title={`Propose to deploy version ${String(system.version)} of ${system.system}`}
        typed=""
        action="Propose it"
        kind="primary"
        onClose={close}
        onConfirm={async () => {
          const change = await done(
            api.POST("/api/v1/changes", {
              body: some({
                method: "POST",
                path: `/api/v1/agents/${agent}/systems/${system.system}/deploy`,
                body: { version: system.version },
                ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
              } as never),
            }),
          );
          await shown(change.id);
        }}
      >
        <p>An Admin approves it, and then it is deployed. Until then nothing changes.</p>
        <TextField label="Reason" value={reason} onChange={setReason} maxLength={1000} hint="For whoever decides, for example a ticket." />
      </Confirm>
      <Confirm
        open={doing === "delete"}
        title={`Delete ${system.system}`}
        typed={system.system}
        action="Delete"
        onClose={close}
        onConfirm={async () => {
          await shown(await acted(api.DELETE("/api/v1/agents/{id}/systems/{system}", params)));
        }}
      >
        <p>
          The agent stops serving it{system.applied_version === 0 ? "" : ", and callers get 404"}. Its sealed
          secrets are of no use afterwards; its versions stay for the audit.
        </p>
      </Confirm>
    </>
  );
}

function TestResult({
  report,
  failure,
  version,
  onClose,
}: {
  readonly report: Report | null;
  readonly failure: unknown;
  readonly version: number;
  readonly onClose: () => void;
}) {
  if (report === null && failure === null) {
    return null;
  }
  return (
    <div className="toast" role="status">
      <header>
        <strong>
          Test of version {version}: {report?.ok === true ? "it works" : "it does not work"}
        </strong>
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
      </header>
      {failure !== null && <Failure error={failure} />}
      {report !== null && (
        <ol className="stages">
          {report.stages.map((stage) => (
            <li key={stage.name} className={stage.ok ? "done" : "bad"}>
              <strong>{stage.name}</strong> {ms(stage.ms)}
              {stage.detail !== "" && <span className="muted"> {stage.detail}</span>}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function History({ agent, system }: { readonly agent: string; readonly system: Details }) {
  const can = useCan();
  const queries = useQueryClient();
  const { data, error } = useQuery(versionsQuery(agent, system.system));
  const [from, setFrom] = useState<string>("");
  const [to, setTo] = useState<string>("");
  const [back, setBack] = useState<Version | null>(null);
  if (error !== null) {
    return <Failure error={error} />;
  }
  if (data === undefined) {
    return <Loading rows={2} />;
  }
  const choices = data.map((it) => [String(it.version), `Version ${String(it.version)}`] as const);
  const older = from === "" ? String(data[1]?.version ?? "") : from;
  const newer = to === "" ? String(data[0]?.version ?? "") : to;
  return (
    <>
      <Panel title="History" flush>
        <DataTable
          label="Versions"
          rows={data}
          rowKey={(version) => String(version.version)}
          columns={[
            { id: "v", head: "Version", cell: (version) => <strong>{version.version}</strong> },
            {
              id: "state",
              head: "State",
              cell: (version) => <SystemBadge state={version.state} drift={false} />,
            },
            { id: "by", head: "By", cell: (version) => version.author, drop: 2 },
            { id: "at", head: "Saved", cell: (version) => <Ago at={version.created_at} /> },
            {
              id: "secrets",
              head: "Secrets",
              cell: (version) => (version.secret_names.length === 0 ? "–" : version.secret_names.join(", ")),
              drop: 1,
            },
            {
              id: "hash",
              head: "Header SHA-256",
              cell: (version) => <span className="mono">{version.header_sha256.slice(0, 12)}</span>,
              drop: 1,
            },
            {
              id: "do",
              head: "",
              align: "end",
              cell: (version) =>
                version.version < system.version && (
                  <Button
                    why={can("systems:update") ? undefined : "Needs the role Engineer"}
                    onClick={() => {
                      setBack(version);
                    }}
                  >
                    Roll back…
                  </Button>
                ),
            },
          ]}
        />
      </Panel>
      {data.length > 1 && (
        <Panel
          title="Compare"
          beside={
            <>
              <SelectField quiet label="Older version" value={older} options={choices} onChange={setFrom} />
              <SelectField quiet label="Newer version" value={newer} options={choices} onChange={setTo} />
            </>
          }
        >
          <Diff agent={agent} system={system.system} from={older} to={newer} />
        </Panel>
      )}
      <Confirm
        open={back !== null}
        title={`Roll back to version ${String(back?.version ?? "")}`}
        typed=""
        action="Make the version"
        kind="primary"
        onClose={() => {
          setBack(null);
        }}
        onConfirm={async () => {
          if (back !== null) {
            await done(
              api.POST("/api/v1/agents/{id}/systems/{system}/rollback", {
                params: { path: { id: agent, system: system.system } },
                body: { version: back.version },
              }),
            );
            await queries.invalidateQueries({ queryKey: ["systems", agent] });
          }
        }}
      >
        <p>
          Makes version {system.version + 1} with the content of version {back?.version}: agents never go back
          to a lower number. It serves when it is deployed.
        </p>
      </Confirm>
    </>
  );
}

function Diff({
  agent,
  system,
  from,
  to,
}: {
  readonly agent: string;
  readonly system: string;
  readonly from: string;
  readonly to: string;
}) {
  const { data, error } = useQuery({
    queryKey: ["systems", agent, system, "diff", from, to],
    enabled: from !== "" && to !== "" && from !== to,
    queryFn: () =>
      done(
        api.GET("/api/v1/agents/{id}/systems/{system}/diff", {
          params: { path: { id: agent, system }, query: { from: Number(from), to: Number(to) } },
        }),
      ),
  });
  if (from === to) {
    return <p className="muted">Choose two versions.</p>;
  }
  if (error !== null) {
    return <Failure error={error} />;
  }
  if (data === undefined) {
    return <Loading rows={2} />;
  }
  const changes = data.changes as SettingChanges;
  return Object.keys(changes).length === 0 ? (
    <p className="muted">The settings are the same. Secrets cannot be compared.</p>
  ) : (
    <ChangeList changes={changes} />
  );
}
