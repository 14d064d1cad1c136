import { useRef, useState } from "react";
import { BROKER } from "../../api/base";
import { Badge, Button, CodeBlock, Note } from "../../parts/basics";
import { Page, Panel } from "../../parts/Page";
import { count, moment, ms, percent, rate } from "../../parts/words";
import { change, runOf, type Run } from "./result";

/** Results stay in this browser tab: the file is read here and sent nowhere. */
export default function LoadTestsPage() {
  const [runs, setRuns] = useState<readonly { readonly file: string; readonly run: Run }[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);

  async function take(files: FileList | null) {
    setFailure(null);
    for (const file of files ?? []) {
      try {
        const run = runOf(await file.text());
        setRuns((old) => [...old, { file: file.name, run }].slice(-2));
      } catch (error) {
        setFailure(`${file.name}: ${error instanceof Error ? error.message : "cannot be read"}`);
      }
    }
  }

  const [baseline] = runs.length === 2 ? runs : [];
  return (
    <Page
      title="Load tests"
      beside={
        runs.length > 0 && (
          <Button
            onClick={() => {
              setRuns([]);
            }}
          >
            Close the results
          </Button>
        )
      }
    >
      <div
        className={over ? "drop-file over" : "drop-file"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => {
          setOver(false);
        }}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void take(event.dataTransfer.files);
        }}
      >
        <p>
          Open the JSON result of a run; open a second one to compare it with the first. The file stays in this browser.
        </p>
        <input
          ref={picker}
          type="file"
          accept="application/json,.json"
          multiple
          hidden
          aria-label="Result of a run"
          onChange={(event) => {
            void take(event.target.files);
          }}
        />
        <Button
          kind="primary"
          onClick={() => {
            picker.current?.click();
          }}
        >
          Open a result…
        </Button>
      </div>
      {failure !== null && (
        <div role="alert">
          <Note kind="bad">{failure}</Note>
        </div>
      )}
      {runs.length === 0 ? (
        <Panel title="Start one">
          <p className="muted">On a machine with the harness; it prints where the result lies.</p>
          <CodeBlock
            label="Command that starts a load test"
            text={`./penstock loadtest list\n./penstock loadtest SCENARIO --broker ${BROKER} --system SITE/SYSTEM --token-file FILE --out results`}
          />
        </Panel>
      ) : (
        runs.map(({ file, run }, index) => (
          <Result key={`${String(index)}-${file}`} file={file} run={run} before={index === 1 ? (baseline?.run ?? null) : null} />
        ))
      )}
    </Page>
  );
}

function Result({ file, run, before }: { readonly file: string; readonly run: Run; readonly before: Run | null }) {
  return (
    <Panel
      title={
        <>
          {run.scenario}{" "}
          <Badge tone={run.valid ? "ok" : "bad"}>{run.valid ? "Valid" : "Not valid"}</Badge>
        </>
      }
      beside={
        <span className="muted">
          {file}, {moment(run.started)}
        </span>
      }
    >
      {run.description !== "" && <p className="muted">{run.description}</p>}
      {!run.valid && (
        <Note kind="bad">
          Its numbers say nothing about the broker:
          <ul>
            {run.invalid_because.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Note>
      )}
      <div className="table-scroll" tabIndex={0} role="group" aria-label={`Flows of ${run.scenario}`}>
        <table className="table" aria-label={`Flows of ${run.scenario}`}>
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Flow</th>
              <th scope="col" className="end">
                Answers/s
              </th>
              <th scope="col" className="end">
                Failed
              </th>
              <th scope="col" className="end">
                p50
              </th>
              <th scope="col" className="end">
                p90
              </th>
              <th scope="col" className="end">
                p99
              </th>
              <th scope="col" className="end">
                p99.9
              </th>
              <th scope="col" className="end">
                Max
              </th>
              {before !== null && (
                <th scope="col" className="end">
                  p99 against the first
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {run.targets.flatMap((target) =>
              target.flows.map((flow) => {
                const same = before?.targets
                  .find((it) => it.name === target.name)
                  ?.flows.find((it) => it.name === flow.name);
                const by = change(flow.response_ms.p99, same?.response_ms.p99);
                return (
                  <tr key={`${target.name}/${flow.name}`}>
                    <td>{target.name}</td>
                    <td>
                      {flow.name} <span className="muted">{flow.loop}</span>
                    </td>
                    <td className="end">{rate(flow.answers_per_second)}</td>
                    <td className="end">{flow.failed > 0 ? <span className="bad-text">{count(flow.failed)}</span> : "0"}</td>
                    <td className="end">{ms(flow.response_ms.p50)}</td>
                    <td className="end">{ms(flow.response_ms.p90)}</td>
                    <td className="end">
                      <strong>{ms(flow.response_ms.p99)}</strong>
                    </td>
                    <td className="end">{ms(flow.response_ms.p99_9)}</td>
                    <td className="end">{ms(flow.response_ms.max)}</td>
                    {before !== null && (
                      <td className="end">{by === null ? "–" : `${by > 0 ? "+" : "−"}${percent(Math.abs(by))}`}</td>
                    )}
                  </tr>
                );
              }),
            )}
          </tbody>
        </table>
      </div>
      {before !== null && (
        <p className="fine">
          Whether a change is more than noise, <code>penstock loadtest compare</code> tells.
        </p>
      )}
    </Panel>
  );
}
