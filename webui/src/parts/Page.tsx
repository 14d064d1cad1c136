import { useEffect, useRef, type ReactNode } from "react";
import { useAlarmCount } from "./queries";

/** Whether a page was shown before: the first one after a load takes the focus from nobody. */
let moved = false;

/** One page: its heading gets the focus, so that a screen reader says where one is. */
export function Page({
  title,
  above,
  beside,
  children,
}: {
  readonly title: string;
  /** Where this page belongs to. */
  readonly above?: ReactNode;
  /** Actions, at the right of the heading. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const alarms = useAlarmCount();
  useEffect(() => {
    document.title = `${alarms > 0 ? `(${String(alarms)}) ` : ""}${title} · Penstock`;
  }, [title, alarms]);
  useEffect(() => {
    if (moved && document.querySelector("[role=dialog]") === null) {
      heading.current?.focus();
    }
    moved = true;
  }, []);
  return (
    <>
      <header className="page-head">
        <div>
          {above !== undefined && <div className="above">{above}</div>}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        </div>
        {beside !== undefined && <div className="actions">{beside}</div>}
      </header>
      {children}
    </>
  );
}

export function Panel({
  title,
  beside,
  children,
  flush = false,
}: {
  readonly title?: ReactNode;
  readonly beside?: ReactNode;
  readonly children: ReactNode;
  /** Its content reaches the edges. */
  readonly flush?: boolean;
}) {
  return (
    <section className={flush ? "panel flush" : "panel"}>
      {(title !== undefined || beside !== undefined) && (
        <header>
          {title !== undefined && <h2>{title}</h2>}
          {beside !== undefined && <div className="actions">{beside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}
