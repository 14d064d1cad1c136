/** The part of JSON Schema that plugins use, as a form needs it. */
export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly writeOnly?: boolean;
  readonly destination?: boolean;
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

export type Values = Readonly<Record<string, unknown>>;

/** With `$ref` replaced; what stands beside it holds too. */
export function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) {
    return schema;
  }
  const name = /^#\/\$defs\/([^/]+)$/.exec(schema.$ref)?.[1];
  const target = name === undefined ? undefined : root.$defs?.[name];
  return { ...target, ...schema };
}

export function fieldsOf(root: Schema): readonly (readonly [string, Schema])[] {
  return Object.entries(root.properties ?? {}).map(([name, schema]) => [name, resolved(schema, root)]);
}

export function secretsOf(root: Schema): readonly string[] {
  return fieldsOf(root)
    .filter(([, schema]) => schema.writeOnly === true)
    .map(([name]) => name);
}

export function destinationsOf(root: Schema): readonly string[] {
  return fieldsOf(root)
    .filter(([, schema]) => schema.destination === true)
    .map(([name]) => name);
}

/** Without what is empty: that is how a form leaves a member out. */
export function settled(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ""),
  );
}

/**
 * What is wrong, by the path of the member. The broker and the agent judge by the whole schema; this is
 * so that most mistakes are told beside their field, before anything is sent.
 */
export function problemsOf(root: Schema, values: Values, kept: readonly string[]): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  const given = settled(values);
  for (const name of root.required ?? []) {
    if (!(name in given)) {
      problems.set(`/${name}`, "This is needed.");
    }
  }
  for (const [name, needs] of Object.entries(root.dependentRequired ?? {})) {
    for (const other of needs) {
      if (name in given && !(other in given) && !kept.includes(other)) {
        problems.set(`/${other}`, `This is needed with ${name}.`);
      }
    }
  }
  for (const [name, schema] of fieldsOf(root)) {
    if (name in given) {
      check(schema, root, given[name], `/${name}`, problems);
    }
  }
  return problems;
}

function check(schema: Schema, root: Schema, value: unknown, path: string, problems: Map<string, string>): void {
  const told = (text: string) => {
    if (!problems.has(path)) {
      problems.set(path, text);
    }
  };
  if (typeof value === "string") {
    if (schema.type === "integer" || schema.type === "number") {
      told("Expected a number.");
      return;
    }
    if (schema.minLength !== undefined && value.length < schema.minLength) {
      told(`Expected at least ${String(schema.minLength)} characters.`);
    }
    if (schema.maxLength !== undefined && value.length > schema.maxLength) {
      told(`Expected at most ${String(schema.maxLength)} characters.`);
    }
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
      told(schema.description === undefined ? "This is not of the expected form." : `Expected: ${schema.description}`);
    }
  } else if (typeof value === "number") {
    if (schema.type === "integer" && !Number.isInteger(value)) {
      told("Expected a whole number.");
    }
    if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)) {
      told(`Expected ${String(schema.minimum ?? "")} to ${String(schema.maximum ?? "")}.`);
    }
  } else if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) {
      told("Expected at least one.");
    }
    const items = schema.items === undefined ? undefined : resolved(schema.items, root);
    value.forEach((item: unknown, index) => {
      if (items !== undefined) {
        check(items, root, item, `${path}/${String(index)}`, problems);
      }
    });
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      const inner = (value as Values)[name];
      if (inner !== undefined && inner !== "") {
        check(resolved(member, root), root, inner, `${path}/${name}`, problems);
      } else if (schema.required?.includes(name) === true) {
        problems.set(`${path}/${name}`, "This is needed.");
      }
    }
  }
}

/** `connect_ms` as a label: Connect, in ms. */
export function titleOf(name: string): string {
  const unit = /_(ms|s|bytes)$/.exec(name)?.[1];
  const words = (unit === undefined ? name : name.slice(0, -unit.length - 1)).replaceAll("_", " ");
  const known = words.replaceAll(/\b(url|ca|tls|id|ip)\b/g, (word) => word.toUpperCase());
  const title = known.charAt(0).toUpperCase() + known.slice(1);
  return unit === undefined ? title : `${title} (${unit})`;
}
