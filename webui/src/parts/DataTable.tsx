import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

export interface Column<T> {
  readonly id: string;
  readonly head: string;
  readonly cell: (row: T) => ReactNode;
  /** By what it is sorted; without it, it is not. */
  readonly key?: (row: T) => string | number | null;
  readonly align?: "end";
  /** Left out where there is little room: 1 first. */
  readonly drop?: 1 | 2 | 3;
  readonly width?: string;
}

const ROW_PX = 37;
const BEYOND = 6;
/** Fewer rows than this are all there, for the browser's own search. */
const VIRTUAL_FROM = 200;

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** What a row is sorted by is looked up once, not for each comparison. */
export function sorted<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sort: string,
  rowKey: (row: T) => string,
): readonly T[] {
  const falling = sort.startsWith("-");
  const key = columns.find((it) => it.id === (falling ? sort.slice(1) : sort))?.key;
  if (key === undefined) {
    return rows;
  }
  const keyed = rows.map((row) => ({ row, key: key(row), name: rowKey(row) }));
  keyed.sort((a, b) => {
    const [x, y] = [a.key, b.key];
    if (x === y) {
      return COLLATOR.compare(a.name, b.name);
    }
    // What is not known comes last, whichever way.
    if (x === null || y === null) {
      return x === null ? 1 : -1;
    }
    const by = typeof x === "number" && typeof y === "number" ? x - y : COLLATOR.compare(String(x), String(y));
    return falling ? -by : by;
  });
  return keyed.map(({ row }) => row);
}

/**
 * A table of any length: only the rows in sight exist, and assistive technology hears how many there are.
 * Arrow keys or j and k move, Enter opens.
 */
export function DataTable<T>({
  label,
  columns,
  rows,
  rowKey,
  sort = "",
  onSort,
  onOpen,
  tone,
  selected,
}: {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  readonly onOpen?: (row: T) => void;
  readonly tone?: (row: T) => "bad" | "warn" | "off" | undefined;
  readonly selected?: string | undefined;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  const [at, setAt] = useState(0);
  const wantsFocus = useRef(false);
  const virtual = rows.length > VIRTUAL_FROM;
  const from = virtual ? Math.max(0, Math.floor(top / ROW_PX) - BEYOND) : 0;
  const to = virtual ? Math.min(rows.length, Math.ceil((top + height) / ROW_PX) + BEYOND) : rows.length;
  const active = Math.min(at, rows.length - 1);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || !virtual) {
      return;
    }
    const observer = new ResizeObserver(() => {
      setHeight(element.clientHeight);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [virtual]);

  const focus = (row: number) => {
    const element = scroller.current?.querySelector<HTMLElement>(`tr[data-row="${String(row)}"]`);
    if (element !== null && element !== undefined) {
      wantsFocus.current = false;
      element.focus();
    }
  };
  useEffect(() => {
    if (wantsFocus.current) {
      focus(active);
    }
  }, [active, from, to]);

  const move = (next: number) => {
    const row = Math.max(0, Math.min(rows.length - 1, next));
    wantsFocus.current = true;
    setAt(row);
    // The row that is the active one already changes nothing, so that no effect would follow.
    if (row === active) {
      focus(row);
    }
    const element = scroller.current;
    if (element !== null && virtual) {
      const y = row * ROW_PX;
      if (y < element.scrollTop || y + 2 * ROW_PX > element.scrollTop + element.clientHeight) {
        element.scrollTop = Math.max(0, y - element.clientHeight / 2);
      }
    }
  };

  useEffect(() => {
    if (onOpen === undefined) {
      return;
    }
    // j and k work from anywhere on the page, where nothing else takes them.
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (
        (event.key === "j" || event.key === "k") &&
        !(event.ctrlKey || event.metaKey || event.altKey) &&
        target?.closest("input, textarea, select, [role=dialog]") === null &&
        localStorage.getItem("penstock.shortcuts") !== "off"
      ) {
        event.preventDefault();
        const inside = scroller.current?.contains(document.activeElement) === true;
        move(inside ? active + (event.key === "j" ? 1 : -1) : active);
      }
    };
    window.addEventListener("keydown", pressed);
    return () => {
      window.removeEventListener("keydown", pressed);
    };
  });

  return (
    <div
      className={virtual ? "table-scroll virtual" : "table-scroll"}
      ref={scroller}
      onScroll={
        virtual
          ? (event) => {
              setTop(event.currentTarget.scrollTop);
            }
          : undefined
      }
      {...(onOpen === undefined ? { tabIndex: 0, role: "group", "aria-label": label } : {})}
    >
      <table className={onOpen === undefined ? "table" : "table opens"} aria-label={label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <tr className="gap" aria-hidden="true" style={{ height: from * ROW_PX }} />}
          {rows.slice(from, to).map((row, index) => {
            const number = from + index;
            const key = rowKey(row);
            return (
              <tr
                key={key}
                data-row={number}
                data-key={key}
                aria-rowindex={number + 2}
                className={tone?.(row)}
                aria-selected={selected === undefined ? undefined : selected === key}
                tabIndex={onOpen === undefined ? undefined : number === active ? 0 : -1}
                onFocus={
                  onOpen === undefined
                    ? undefined
                    : () => {
                        setAt(number);
                      }
                }
                onClick={
                  onOpen === undefined
                    ? undefined
                    : (event) => {
                        if ((event.target as HTMLElement).closest("a, button, input") === null) {
                          onOpen(row);
                        }
                      }
                }
                onKeyDown={
                  onOpen === undefined
                    ? undefined
                    : (event) => {
                        if (event.target !== event.currentTarget) {
                          return;
                        }
                        if (event.key === "Enter") {
                          onOpen(row);
                        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                          event.preventDefault();
                          move(number + (event.key === "ArrowDown" ? 1 : -1));
                        }
                      }
                }
              >
                {columns.map((column) => (
                  <td key={column.id} className={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {to < rows.length && (
            <tr className="gap" aria-hidden="true" style={{ height: (rows.length - to) * ROW_PX }} />
          )}
        </tbody>
      </table>
    </div>
  );
}

function classOf<T>(column: Column<T>): string | undefined {
  const classes = [
    column.align === "end" ? "end" : "",
    column.drop === undefined ? "" : `drop-${String(column.drop)}`,
  ].filter((it) => it !== "");
  return classes.length === 0 ? undefined : classes.join(" ");
}

function Head<T>({
  column,
  sort,
  onSort,
}: {
  readonly column: Column<T>;
  readonly sort: string;
  readonly onSort: ((sort: string) => void) | undefined;
}) {
  const mine = sort === column.id ? "ascending" : sort === `-${column.id}` ? "descending" : undefined;
  return (
    <th
      scope="col"
      className={classOf(column)}
      aria-sort={mine}
      style={column.width === undefined ? undefined : { width: column.width }}
    >
      {column.head === "" ? (
        <span className="sr">Actions</span>
      ) : column.key === undefined || onSort === undefined ? (
        column.head
      ) : (
        <button
          type="button"
          onClick={() => {
            onSort(mine === "ascending" ? `-${column.id}` : column.id);
          }}
        >
          {column.head}
          <span aria-hidden="true" className="arrow">
            {mine === "ascending" ? "↑" : mine === "descending" ? "↓" : ""}
          </span>
        </button>
      )}
    </th>
  );
}
