import { useEffect, useState } from "react";
import { TextField } from "./basics";

const AFTER_MS = 300;

/** A field of a filter that the broker answers: it is asked when the typing stops, not for each letter. */
export function DelayedField({
  value,
  onChange,
  ...field
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "number";
  readonly placeholder?: string;
  readonly spellCheck?: boolean;
}) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState(value);
  if (value !== seen) {
    setSeen(value);
    // From elsewhere: a link, the back button, another control.
    if (value !== sent) {
      setSent(value);
      setText(value);
    }
  }
  const waits = text !== sent;
  useEffect(() => {
    if (!waits) {
      return;
    }
    const timer = setTimeout(() => {
      setSent(text);
      onChange(text);
    }, AFTER_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [waits, text, onChange]);
  return (
    <TextField
      {...field}
      value={text}
      onChange={setText}
    />
  );
}
