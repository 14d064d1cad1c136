/**
 * What somebody typed into a filter: words, and `name:value` terms, each of which a leading hyphen turns
 * round. Quotes keep spaces. It is also what stands in the URL, so that a link shows the same rows.
 */
export interface Term {
  readonly text: string;
  readonly name: string;
  readonly value: string;
  readonly not: boolean;
}

const TERM = /-?(?:[a-z]+:)?"[^"]*"|\S+/g;

export function termsOf(query: string): readonly Term[] {
  return (query.match(TERM) ?? []).map((text) => {
    const not = text.startsWith("-") && text.length > 1;
    const body = not ? text.slice(1) : text;
    const named = /^([a-z]+):(.*)$/s.exec(body);
    return {
      text,
      name: named?.[1] ?? "",
      value: (named?.[2] ?? body).replaceAll('"', "").toLowerCase(),
      not,
    };
  });
}

export function without(query: string, term: Term): string {
  return termsOf(query)
    .filter((it) => it.text !== term.text)
    .map((it) => it.text)
    .join(" ");
}

/** Sets `name:value`, in place of another value of that name; an empty value takes it away. */
export function withTerm(query: string, name: string, value: string): string {
  const rest = termsOf(query)
    .filter((it) => it.name !== name)
    .map((it) => it.text);
  const quoted = value.includes(" ") ? `"${value}"` : value;
  return [...rest, ...(value === "" ? [] : [`${name}:${quoted}`])].join(" ");
}

/** How a row answers to terms: the words it holds, and by name. */
export interface Searchable {
  readonly words: string;
  readonly named: Readonly<Record<string, (value: string) => boolean>>;
}

/** A name that nobody knows matches nothing: a mistyped filter shows no rows, and not all of them. */
export function matches(row: Searchable, terms: readonly Term[]): boolean {
  return terms.every((term) => {
    const holds =
      term.name === ""
        ? row.words.includes(term.value)
        : (row.named[term.name]?.(term.value) ?? row.words.includes(`${term.name}:${term.value}`));
    return holds !== term.not;
  });
}
