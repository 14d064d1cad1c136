import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../parts/basics";
import { moment, ms, plural } from "../parts/words";
import { onThemeChange, rgb } from "./colours";
import { gridOf, limitsOf, perStep, rowsInUse, strength, type Column } from "./scale";

/** A cell: an interval of time and of latency. */
export interface Picked {
  readonly fromT: number;
  readonly toT: number;
  readonly lowMs: number;
  readonly highMs: number | null;
  readonly count: number;
}

const MARKS = [0.1, 1, 10, 100, 1_000, 10_000, 100_000];

/**
 * How many calls took how long, over time. One pixel a cell, drawn once and stretched by the browser; the
 * vertical axis is logarithmic and clipped to what is there.
 */
export function Heatmap({
  title,
  columns,
  bounds,
  from,
  to,
  step,
  onPick,
  tall = true,
}: {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly bounds: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Left out for those who may not see single calls. */
  readonly onPick?: ((cell: Picked) => void) | undefined;
  readonly tall?: boolean;
}) {
  const [table, setTable] = useState(false);
  const [cursor, setCursor] = useState<readonly [x: number, row: number] | null>(null);
  const grid = useMemo(() => gridOf(columns, from, to, step), [columns, from, to, step]);
  const [low, high] = useMemo(() => rowsInUse(columns, bounds.length + 1), [columns, bounds]);
  const most = useMemo(
    () =>
      columns.reduce(
        (max, column) => column.cells.reduce((m, [, n]) => Math.max(m, perStep(n, column, step)), max),
        0,
      ),
    [columns, step],
  );
  const total = useMemo(
    () => columns.reduce((sum, column) => column.cells.reduce((s, [, n]) => s + n, sum), 0),
    [columns],
  );
  const rows = high - low + 1;

  const cellAt = (x: number, row: number): Picked | null => {
    const column = grid[x];
    if (column === undefined) {
      return null;
    }
    const [lowMs, highMs] = limitsOf(row, bounds);
    const point = column.point;
    const count = point?.cells.find(([index]) => index === row)?.[1] ?? 0;
    const fromT = point?.t ?? column.t;
    return { fromT, toT: fromT + (point?.span ?? step), lowMs, highMs, count };
  };
  const shown = cursor === null ? null : cellAt(...cursor);
  const pick = (x: number, row: number) => {
    const cell = cellAt(x, row);
    if (cell !== null && cell.count > 0) {
      onPick?.(cell);
    }
  };
  const summary = `${title}: ${plural(total, "call")} between ${ms(limitsOf(low, bounds)[0])} and ${ms(limitsOf(high, bounds)[1])}.`;

  return (
    <figure className="chart">
      <figcaption>
        <h2>{title}</h2>
        <div className="actions">
          <span className="muted readout" role="status">
            {shown === null
              ? ""
              : `${moment(shown.fromT * 1000)} · ${ms(shown.lowMs)} to ${shown.highMs === null ? "more" : ms(shown.highMs)} · ${plural(shown.count, "call")}`}
          </span>
          <Button
            pressed={table}
            onClick={() => {
              setTable(!table);
            }}
          >
            Table
          </Button>
        </div>
      </figcaption>
      {table ? (
        <CellsTable title={title} columns={columns} bounds={bounds} low={low} high={high} onPick={onPick} step={step} />
      ) : (
        <div className={tall ? "heat tall" : "heat"}>
          <div className="heat-y" aria-hidden="true">
            {MARKS.filter((mark) => positionOf(mark, bounds, low, rows) !== null).map((mark) => (
              <span key={mark} style={{ bottom: `${String(positionOf(mark, bounds, low, rows))}%` }}>
                {ms(mark).replace(/\.0+ /, " ")}
              </span>
            ))}
          </div>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- an image with a cursor; the table has all of it */}
          <div
            className={onPick === undefined ? "heat-area" : "heat-area picks"}
            role="img"
            tabIndex={0}
            aria-label={`${summary}${onPick === undefined ? "" : " Arrow keys choose a cell, Enter shows its calls."}`}
            onPointerMove={(event) => {
              setCursor(under(event, grid.length, low, rows));
            }}
            onPointerLeave={() => {
              setCursor(null);
            }}
            onClick={(event) => {
              pick(...under(event, grid.length, low, rows));
            }}
            onKeyDown={(event) => {
              const [x, row] = cursor ?? [grid.length - 1, low + Math.floor(rows / 2)];
              const next: Readonly<Record<string, readonly [number, number]>> = {
                ArrowLeft: [x - 1, row],
                ArrowRight: [x + 1, row],
                ArrowUp: [x, row + 1],
                ArrowDown: [x, row - 1],
              };
              const moved = next[event.key];
              if (moved !== undefined) {
                event.preventDefault();
                setCursor([
                  Math.max(0, Math.min(grid.length - 1, moved[0])),
                  Math.max(low, Math.min(high, moved[1])),
                ]);
              } else if (event.key === "Enter") {
                pick(x, row);
              }
            }}
          >
            <Cells grid={grid} low={low} rows={rows} most={most} step={step} />
            {cursor !== null && (
              <div
                className="heat-cursor"
                style={{
                  left: `${String((cursor[0] / grid.length) * 100)}%`,
                  width: `${String(100 / grid.length)}%`,
                  bottom: `${String(((cursor[1] - low) / rows) * 100)}%`,
                  height: `${String(100 / rows)}%`,
                }}
              />
            )}
          </div>
          <div className="heat-x" aria-hidden="true">
            {[0, 0.25, 0.5, 0.75, 1].map((part) => (
              <span key={part}>{moment((from + part * (to - from)) * 1000).slice(-8, -3)}</span>
            ))}
          </div>
        </div>
      )}
    </figure>
  );
}

/** Where a mark stands, in percent from below; null out of sight. */
function positionOf(mark: number, bounds: readonly number[], low: number, rows: number): number | null {
  const index = bounds.findIndex((bound) => bound >= mark * 0.999);
  if (index < 0) {
    return null;
  }
  const at = ((index + 1 - low) / rows) * 100;
  return at >= 0 && at <= 100 ? at : null;
}

function under(
  event: { clientX: number; clientY: number; currentTarget: Element },
  columns: number,
  low: number,
  rows: number,
): readonly [number, number] {
  const box = event.currentTarget.getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) / box.width) * columns);
  const y = Math.floor(((box.bottom - event.clientY) / box.height) * rows);
  return [Math.max(0, Math.min(columns - 1, x)), low + Math.max(0, Math.min(rows - 1, y))];
}

function heatOfTheme() {
  return [rgb("--heat-0"), rgb("--heat-1"), rgb("--heat-2")] as const;
}

function Cells({
  grid,
  low,
  rows,
  most,
  step,
}: {
  readonly grid: readonly { readonly t: number; readonly point: Column | null }[];
  readonly low: number;
  readonly rows: number;
  readonly most: number;
  readonly step: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [stops, setStops] = useState(heatOfTheme);
  useEffect(
    () =>
      onThemeChange(() => {
        setStops(heatOfTheme());
      }),
    [],
  );
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined || grid.length === 0 || rows < 1) {
      return;
    }
    const image = context.createImageData(grid.length, rows);
    grid.forEach(({ point }, x) => {
      for (const [index, n] of point?.cells ?? []) {
        const y = rows - 1 - (index - low);
        const part = strength(point === null ? 0 : perStep(n, point, step), most) * 2;
        const [a, b] = part < 1 ? [stops[0], stops[1]] : [stops[1], stops[2]];
        const mix = part < 1 ? part : part - 1;
        const at = (y * grid.length + x) * 4;
        image.data[at] = a[0] + (b[0] - a[0]) * mix;
        image.data[at + 1] = a[1] + (b[1] - a[1]) * mix;
        image.data[at + 2] = a[2] + (b[2] - a[2]) * mix;
        image.data[at + 3] = 255;
      }
    });
    context.putImageData(image, 0, 0);
  }, [grid, low, rows, most, step, stops]);
  return <canvas ref={canvas} width={Math.max(1, grid.length)} height={Math.max(1, rows)} aria-hidden="true" />;
}

const MOST_ROWS = 120;

function CellsTable({
  title,
  columns,
  bounds,
  low,
  high,
  onPick,
  step,
}: {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly bounds: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly onPick: ((cell: Picked) => void) | undefined;
  readonly step: number;
}) {
  const buckets = Array.from({ length: high - low + 1 }, (_, index) => low + index).filter((index) =>
    columns.some((column) => column.cells.some(([at]) => at === index)),
  );
  return (
    <div className="table-scroll short" tabIndex={0} role="group" aria-label={`${title}, as a table`}>
      <table className="table" aria-label={title}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {buckets.map((index) => (
              <th key={index} scope="col" className="end">
                {limitsOf(index, bounds)[1] === null
                  ? `> ${ms(limitsOf(index, bounds)[0])}`
                  : `≤ ${ms(limitsOf(index, bounds)[1])}`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns
            .slice(-MOST_ROWS)
            .toReversed()
            .map((column) => (
              <tr key={column.t}>
                <td>{moment(column.t * 1000)}</td>
                {buckets.map((index) => {
                  const n = column.cells.find(([at]) => at === index)?.[1] ?? 0;
                  const [lowMs, highMs] = limitsOf(index, bounds);
                  return (
                    <td key={index} className="end">
                      {n > 0 && onPick !== undefined ? (
                        <button
                          type="button"
                          className="link"
                          aria-label={`${plural(n, "call")} up to ${ms(highMs)} from ${moment(column.t * 1000)}`}
                          onClick={() => {
                            onPick({ fromT: column.t, toT: column.t + (column.span ?? step), lowMs, highMs, count: n });
                          }}
                        >
                          {n}
                        </button>
                      ) : (
                        n || ""
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
