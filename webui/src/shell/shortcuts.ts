import { useEffect, useEffectEvent } from "react";
import { PAGES } from "./pages";

const KEY = "penstock.shortcuts";
const G_WITHIN_MS = 1_500;

/** Single keys can be switched off (WCAG 2.1.4): they get in the way of speech input. */
export function shortcutsOn(): boolean {
  return localStorage.getItem(KEY) !== "off";
}

export function setShortcuts(on: boolean): void {
  if (on) {
    localStorage.removeItem(KEY);
  } else {
    localStorage.setItem(KEY, "off");
  }
}

interface Actions {
  readonly go: (to: string) => void;
  readonly help: () => void;
  readonly palette: () => void;
  readonly pause: () => void;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Where Space already means something. */
function takesSpace(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, summary, [role=menuitem]") !== null;
}

export function useShortcuts(actions: Actions): void {
  const act = useEffectEvent((run: (actions: Actions) => void) => {
    run(actions);
  });
  useEffect(() => {
    let gAt = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        act((it) => { it.palette(); });
        return;
      }
      const modal = document.querySelector("[role=dialog], [role=menu]") !== null;
      if (event.ctrlKey || event.metaKey || event.altKey || modal || isTyping(event.target) || !shortcutsOn()) {
        return;
      }
      if (event.timeStamp - gAt < G_WITHIN_MS) {
        gAt = Number.NEGATIVE_INFINITY;
        const page = PAGES.find((it) => it.key === event.key);
        if (page !== undefined) {
          event.preventDefault();
          act((it) => { it.go(page.to); });
        }
        return;
      }
      switch (event.key) {
        case "g":
          gAt = event.timeStamp;
          break;
        case "/": {
          const search = document.querySelector<HTMLInputElement>("input[data-search]");
          if (search !== null) {
            event.preventDefault();
            search.focus();
            search.select();
          }
          break;
        }
        case "?":
          event.preventDefault();
          act((it) => { it.help(); });
          break;
        case " ":
          if (!takesSpace(event.target)) {
            event.preventDefault();
            act((it) => { it.pause(); });
          }
          break;
        default:
      }
    };
    window.addEventListener("keydown", pressed);
    return () => {
      window.removeEventListener("keydown", pressed);
    };
  }, []);
}
