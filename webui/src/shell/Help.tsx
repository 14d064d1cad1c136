import { useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useState } from "react";
import { useCan, useMe } from "../auth/session";
import { Dialog } from "../parts/Dialog";
import { useAgents } from "../parts/queries";
import { pagesFor } from "./pages";
import { setShortcuts, shortcutsOn } from "./shortcuts";

const KEYS: readonly (readonly [string, string])[] = [
  ["Ctrl K", "Go to a page or an agent"],
  ["/", "Filter what is shown"],
  ["j  k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["Space", "Pause and go on"],
  ["?", "This list"],
  ["Esc", "Close"],
];

export function Help({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const can = useCan();
  const { scope } = useMe();
  const [on, setOn] = useState(shortcutsOn);
  const id = useId();
  return (
    <Dialog open={open} title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        {pagesFor(can, scope).map((page) => (
          <div key={page.to}>
            <dt>
              <kbd>g {page.key}</kbd>
            </dt>
            <dd>{page.title}</dd>
          </div>
        ))}
      </dl>
      <p className="check-line">
        <input
          id={id}
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked);
            setShortcuts(event.target.checked);
          }}
        />
        <label htmlFor={id}>Single keys are shortcuts</label>
      </p>
    </Dialog>
  );
}

interface Target {
  readonly text: string;
  readonly what: string;
  readonly to: string;
}

const MOST = 12;

export function Palette({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  return (
    <Dialog open={open} title="Go to" onClose={onClose}>
      <PaletteBody onClose={onClose} />
    </Dialog>
  );
}

function PaletteBody({ onClose }: { readonly onClose: () => void }) {
  const can = useCan();
  const { scope } = useMe();
  const navigate = useNavigate();
  const { data: agents } = useAgents();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const found = useMemo<readonly Target[]>(() => {
    const wanted = text.trim().toLowerCase();
    const all: Target[] = [
      ...pagesFor(can, scope).map((page) => ({
        text: page.title,
        what: "Page",
        to: page.to,
      })),
      ...(agents ?? []).map((agent) => ({
        text: agent.id,
        what: `Agent · ${agent.site}`,
        to: `/agents/${encodeURIComponent(agent.id)}`,
      })),
    ];
    return all.filter((it) => `${it.text} ${it.what}`.toLowerCase().includes(wanted)).slice(0, MOST);
  }, [text, agents, can, scope]);
  const go = (target: Target | undefined) => {
    if (target !== undefined) {
      onClose();
      void navigate({ to: target.to });
    }
  };
  return (
    <>
      <input
        className="palette-field"
        aria-label="Page or agent"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={found.length === 0 ? undefined : `${listId}-${String(at)}`}
        autoFocus
        value={text}
        placeholder="Page or agent"
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const step = event.key === "ArrowDown" ? 1 : found.length - 1;
            setAt((at + step) % Math.max(found.length, 1));
          } else if (event.key === "Enter") {
            go(found[at]);
          }
        }}
      />
      <ul id={listId} role="listbox" aria-label="Found" className="palette">
        {found.map((target, index) => (
          <li
            key={target.to}
            id={`${listId}-${String(index)}`}
            role="option"
            aria-selected={index === at}
            onPointerDown={(event) => {
              // The field keeps the focus, and with it the keys.
              event.preventDefault();
              go(target);
            }}
          >
            {target.text}
            <span className="muted">{target.what}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="muted">Nothing is called that.</p>}
    </>
  );
}
