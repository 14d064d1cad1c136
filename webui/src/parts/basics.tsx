import { useEffect, useId, useState, type CSSProperties, type ReactNode, type Ref } from "react";
import { ApiError, UnreachableError } from "../api/client";
import { sentenceOf } from "../api/problem";
import { ago, moment } from "./words";

type Kind = "primary" | "plain" | "quiet" | "danger";

export function Button({
  kind = "plain",
  submit = false,
  disabled = false,
  why,
  onClick,
  label,
  pressed,
  children,
}: {
  readonly kind?: Kind;
  readonly submit?: boolean;
  readonly disabled?: boolean;
  /** Why it cannot be used; it stays in reach of the keyboard and says so. */
  readonly why?: string | undefined;
  readonly onClick?: (() => void) | undefined;
  readonly label?: string;
  readonly pressed?: boolean;
  readonly children: ReactNode;
}) {
  const whyId = useId();
  const barred = why !== undefined;
  return (
    <span className="with-why">
      <button
        type={submit ? "submit" : "button"}
        className={`button ${kind}`}
        disabled={disabled}
        aria-disabled={barred || undefined}
        aria-describedby={barred ? whyId : undefined}
        aria-label={label}
        aria-pressed={pressed}
        onClick={(event) => {
          if (barred) {
            event.preventDefault();
          } else {
            onClick?.();
          }
        }}
      >
        {children}
      </button>
      {barred && (
        <span id={whyId} role="tooltip" className="why">
          {why}
        </span>
      )}
    </span>
  );
}

export function TextField({
  label,
  hint,
  error,
  value,
  onChange,
  inputRef,
  describedBy,
  ...input
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly describedBy?: string;
  readonly type?: "text" | "email" | "password" | "number" | "search" | "datetime-local";
  readonly autoComplete?: string;
  readonly autoFocus?: boolean;
  readonly readOnly?: boolean;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly spellCheck?: boolean;
  readonly list?: string;
  readonly maxLength?: number;
}) {
  const id = useId();
  const about = [
    hint === undefined ? "" : `${id}-hint`,
    error === undefined ? "" : `${id}-error`,
    describedBy ?? "",
  ]
    .filter((part) => part !== "")
    .join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {input.required === true && <span className="needed"> needed</span>}
      </label>
      <input
        id={id}
        ref={inputRef}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={about === "" ? undefined : about}
        {...input}
      />
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export function SelectField({
  label,
  value,
  options,
  onChange,
  hint,
  quiet = false,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  /** The label is for those who hear it. */
  readonly quiet?: boolean;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className={quiet ? "sr" : undefined}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export type Tone = "ok" | "warn" | "bad" | "info" | "off";

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export function Note({ kind, children }: { readonly kind: Tone; readonly children: ReactNode }) {
  return <div className={`note ${kind}`}>{children}</div>;
}

/** Grows old by itself. */
export function Ago({ at }: { readonly at: string | null | undefined }) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      setTick((tick) => tick + 1);
    }, 10_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  if (at === null || at === undefined) {
    return <span className="muted">never</span>;
  }
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at)}
    </time>
  );
}

export function Copy({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  return (
    <>
      <Button
        onClick={() => {
          navigator.clipboard.writeText(text).then(
            () => {
              setSaid("Copied");
            },
            () => {
              setSaid("Select the text and copy it by hand");
            },
          );
        }}
      >
        {said ?? label}
      </Button>
      <span role="status" className="sr">
        {said}
      </span>
    </>
  );
}

/** Something to copy, word for word. */
export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="code-block">
      <pre role="group" tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} label="Copy" />
    </div>
  );
}

export function Empty({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children !== undefined && <div className="muted">{children}</div>}
      {action !== undefined && <div className="actions">{action}</div>}
    </div>
  );
}

/** What went wrong and what to do; `again` where trying again may help. */
export function Failure({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  if (error instanceof UnreachableError) {
    return (
      <Note kind="warn">
        The broker does not answer at the moment. This page goes on by itself when it is back.
      </Note>
    );
  }
  return (
    <div role="alert">
      <Note kind="bad">
        <p>{sentenceOf(error)}</p>
        {error instanceof ApiError && error.findings.length > 0 && (
          <ul>
            {error.findings.map((finding) => (
              <li key={finding.path}>
                <code>{finding.path}</code>: expected {finding.expected}, found {finding.found}
              </li>
            ))}
          </ul>
        )}
        {error instanceof ApiError && error.requestId !== "" && error.status >= 500 && (
          <p className="muted">
            Request <code>{error.requestId}</code> in the broker's log.
          </p>
        )}
        {again !== undefined && <Button onClick={again}>Try again</Button>}
      </Note>
    </div>
  );
}

export function Loading({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div className="loading" role="status">
      <span className="sr">Loading…</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="bar" style={{ "--at": row } as CSSProperties} />
      ))}
    </div>
  );
}

export function NotAvailable({ what }: { readonly what: string }) {
  return (
    <Empty title={`${what}: not available from this broker`}>
      <p>This broker does not offer it. It comes with a newer version of Penstock.</p>
    </Empty>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
}

export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
