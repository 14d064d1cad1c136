import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { termsOf, without } from "./filter";

/** The filter of a list, as text and as chips. */
export function FilterBar({
  query,
  onQuery,
  placeholder,
  hint,
  shown,
  children,
}: {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly placeholder: string;
  readonly hint: string;
  readonly shown: string;
  readonly children?: ReactNode;
}) {
  const id = useId();
  const [text, setText] = useState(query);
  const sent = useRef(query);
  useEffect(() => {
    // From elsewhere: a link, the back button, a chip.
    if (query !== sent.current) {
      sent.current = query;
      setText(query);
    }
  }, [query]);
  const terms = termsOf(query);
  const set = (next: string) => {
    sent.current = next;
    setText(next);
    onQuery(next);
  };
  return (
    <div className="filter-bar">
      <div className="filter-field">
        <label className="sr" htmlFor={id}>
          Filter
        </label>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3.5 3.5" />
        </svg>
        <input
          id={id}
          data-search
          type="search"
          value={text}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            set(event.target.value);
          }}
        />
        <span id={`${id}-hint`} className="sr">
          {hint}
        </span>
      </div>
      {children}
      <p className="shown" role="status">
        {shown}
      </p>
      {terms.length > 0 && (
        <ul className="chips" aria-label="Filters">
          {terms.map((term, index) => (
            <li key={`${String(index)}-${term.text}`}>
              <button
                type="button"
                aria-label={`Take away ${term.text}`}
                onClick={() => {
                  set(without(query, term));
                }}
              >
                {term.text}
                <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
          <li>
            <button
              type="button"
              className="clear"
              onClick={() => {
                set("");
              }}
            >
              Clear
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
