import { useId, type ReactNode } from "react";
import { Button, SelectField, TextField } from "../../parts/basics";
import { fieldsOf, resolved, titleOf, type Schema, type Values } from "./schema";

interface Parts {
  readonly root: Schema;
  readonly problems: ReadonlyMap<string, string>;
}

/** A plugin's settings and secrets, from its schema. */
export function SchemaForm({
  root,
  values,
  onChange,
  problems,
  keptSecrets,
}: {
  readonly root: Schema;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
  readonly problems: ReadonlyMap<string, string>;
  /** Secrets of the version before, which stay when their field stays empty. */
  readonly keptSecrets: readonly string[];
}) {
  const fields = fieldsOf(root);
  const needed = fields.filter(([name, schema]) => root.required?.includes(name) === true && schema.writeOnly !== true);
  // Who signs in goes together: the user's name beside the password.
  const together = new Set(Object.keys(root.dependentRequired ?? {}));
  const access = fields.filter(([name, schema]) => schema.writeOnly === true || together.has(name));
  const rest = fields.filter((field) => !needed.includes(field) && !access.includes(field));
  const parts: Parts = { root, problems };
  const field = ([name, schema]: readonly [string, Schema]): ReactNode => (
    <Field
      key={name}
      parts={parts}
      name={name}
      schema={schema}
      path={`/${name}`}
      value={values[name]}
      kept={keptSecrets.includes(name)}
      required={root.required?.includes(name) === true}
      onChange={(value) => {
        onChange({ ...values, [name]: value });
      }}
    />
  );
  return (
    <>
      <div className="stack">{needed.map(field)}</div>
      {access.length > 0 && (
        <fieldset className="stack">
          <legend>Signing in at the system</legend>
          <p className="hint">
            Secrets are sealed in this browser to the agent's key. The broker keeps them and cannot read them.
          </p>
          {access.map(field)}
        </fieldset>
      )}
      {rest.length > 0 && (
        <details open={rest.some(([name]) => problems.has(`/${name}`))}>
          <summary>More settings ({rest.length})</summary>
          <div className="stack grid-2">{rest.map(field)}</div>
        </details>
      )}
    </>
  );
}

function Field({
  parts,
  name,
  schema,
  path,
  value,
  onChange,
  kept = false,
  required = false,
}: {
  readonly parts: Parts;
  readonly name: string;
  readonly schema: Schema;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly kept?: boolean;
  readonly required?: boolean;
}) {
  const id = useId();
  const error = parts.problems.get(path);
  const label = titleOf(name);
  const hint = hintOf(schema, kept);
  if (schema.enum !== undefined) {
    return (
      <SelectField
        label={label}
        value={typeof value === "string" ? value : ""}
        options={[["", "–"], ...schema.enum.map((it) => [it, it] as const)]}
        onChange={onChange}
        {...(hint === undefined ? {} : { hint })}
      />
    );
  }
  switch (schema.type) {
    case "boolean":
      return (
        <p className="check-line">
          <input
            id={id}
            type="checkbox"
            checked={value === true}
            onChange={(event) => {
              onChange(event.target.checked);
            }}
          />
          <label htmlFor={id}>{label}</label>
        </p>
      );
    case "array":
      return schema.items !== undefined && resolved(schema.items, parts.root).type === "object" ? (
        <Rows parts={parts} label={label} schema={schema} path={path} value={value} onChange={onChange} hint={hint} />
      ) : (
        <TextField
          label={label}
          hint={hint === undefined ? "Several with spaces or commas between." : `${hint} Several with spaces or commas between.`}
          error={error ?? firstBelow(parts.problems, path)}
          value={Array.isArray(value) ? value.join(" ") : ""}
          required={required}
          spellCheck={false}
          onChange={(text) => {
            onChange(listOf(text));
          }}
        />
      );
    case "integer":
    case "number":
      return (
        <TextField
          label={label}
          hint={hint}
          error={error}
          type="number"
          required={required}
          value={typeof value === "number" || typeof value === "string" ? String(value) : ""}
          {...(schema.default === undefined ? {} : { placeholder: JSON.stringify(schema.default) })}
          onChange={(text) => {
            onChange(text === "" ? undefined : Number(text));
          }}
        />
      );
    default:
      return (
        <TextField
          label={label}
          hint={hint}
          error={error}
          type={schema.writeOnly === true ? "password" : "text"}
          autoComplete={schema.writeOnly === true ? "new-password" : "off"}
          spellCheck={false}
          required={required}
          placeholder={kept ? "kept as it is" : ""}
          value={typeof value === "string" ? value : ""}
          onChange={onChange}
        />
      );
  }
}

function hintOf(schema: Schema, kept: boolean): string | undefined {
  const parts = [
    schema.description ?? "",
    schema.destination === true ? "Secrets are bound to it: a change asks for them again." : "",
    kept ? "Left empty, the sealed one stays." : "",
  ].filter((it) => it !== "");
  return parts.length === 0 ? undefined : parts.join(" ");
}

/** While somebody types, the last word may still be empty. */
function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((it, index, all) => it !== "" || index === all.length - 1 && all.length > 1);
}

function firstBelow(problems: ReadonlyMap<string, string>, path: string): string | undefined {
  for (const [at, text] of problems) {
    if (at.startsWith(`${path}/`)) {
      return text;
    }
  }
  return undefined;
}

/** A list of objects, such as what is exposed: a row each. */
function Rows({
  parts,
  label,
  schema,
  path,
  value,
  onChange,
  hint,
}: {
  readonly parts: Parts;
  readonly label: string;
  readonly schema: Schema;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly hint: string | undefined;
}) {
  const item = resolved(schema.items ?? {}, parts.root);
  const rows = Array.isArray(value) ? (value as Values[]) : [];
  const error = parts.problems.get(path);
  return (
    <fieldset className="rows">
      <legend>{label}</legend>
      {hint !== undefined && <p className="hint">{hint}</p>}
      {rows.map((row, index) => (
        <div className="row-of" key={index}>
          {Object.entries(item.properties ?? {}).map(([name, member]) => (
            <Field
              key={name}
              parts={parts}
              name={name}
              schema={resolved(member, parts.root)}
              path={`${path}/${String(index)}/${name}`}
              value={row[name]}
              required={item.required?.includes(name) === true}
              onChange={(next) => {
                onChange(rows.with(index, { ...row, [name]: next }));
              }}
            />
          ))}
          <Button
            kind="quiet"
            label={`Remove row ${String(index + 1)} of ${label}`}
            onClick={() => {
              onChange(rows.toSpliced(index, 1));
            }}
          >
            Remove
          </Button>
        </div>
      ))}
      {error !== undefined && <p className="field-error">{error}</p>}
      <Button
        onClick={() => {
          onChange([...rows, {}]);
        }}
      >
        Add a row
      </Button>
    </fieldset>
  );
}
