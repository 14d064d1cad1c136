import { useEffect, useEffectEvent, useId, useMemo, useRef, useState, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LatencyPoint } from "../live/types";
import { Button } from "../parts/basics";
import { moment, ms } from "../parts/words";
import { colour, onThemeChange } from "./colours";
import { gridOf, type Interval } from "./scale";

export type TimedPoint = LatencyPoint & Interval;

const LINES = [
  { id: "p50_ms", name: "p50", token: "--p50", dash: [] },
  { id: "p90_ms", name: "p90", token: "--p90", dash: [] },
  { id: "p99_ms", name: "p99", token: "--p99", dash: [] },
  { id: "p999_ms", name: "p99.9", token: "--p999", dash: [6, 3] },
  { id: "max_ms", name: "max", token: "--pmax", dash: [2, 3] },
] as const;

const HEIGHT = 240;
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enumerations are types alone, gone when it runs
const LOGARITHMIC = 3 as uPlot.Scale.Distr;

/** As on every page: of 24 hours, and a date where a day is the step. */
function timeOf(t: number, step: number): string {
  const date = new Date(t * 1000);
  const pad = (n: number) => String(n).padStart(2, "0");
  const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return step >= 86_400
    ? `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
    : step >= 60
      ? minute
      : `${minute}:${pad(date.getSeconds())}`;
}

/** Steps with none beside them: a line through them has no length. */
function isolated(plot: uPlot, series: number, show: boolean): number[] | null {
  if (show) {
    return null;
  }
  const values = plot.data[series] ?? [];
  const alone: number[] = [];
  values.forEach((value, index) => {
    if (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null) {
      alone.push(index);
    }
  });
  return alone;
}

/** Percentiles over time, one line each, filled between: where the calls are, and how far the slow ones reach. */
export function Bands({
  title,
  points,
  from,
  to,
  step,
  sloMs,
  children,
}: {
  readonly title: string;
  readonly points: readonly TimedPoint[];
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly sloMs?: number | null;
  readonly children?: ReactNode;
}) {
  const [table, setTable] = useState(false);
  const [log, setLog] = useState(true);
  const [at, setAt] = useState<number | null>(null);
  const grid = useMemo(() => gridOf(points, from, to, step), [points, from, to, step]);
  const shown = at === null ? undefined : grid[at];
  const last = points.at(-1);
  const summary =
    last === undefined
      ? `${title}: no calls in this range.`
      : `${title}: last p50 ${ms(last.p50_ms)}, p99 ${ms(last.p99_ms)}, highest ${ms(Math.max(...points.map((it) => it.max_ms ?? 0)))}.`;
  return (
    <figure className="chart">
      <figcaption>
        <h2>{title}</h2>
        <div className="actions">
          {children}
          <Button
            pressed={log}
            onClick={() => {
              setLog(!log);
            }}
          >
            Log
          </Button>
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
        <PointsTable title={title} points={points} />
      ) : (
        <>
          <Plot grid={grid} log={log} sloMs={sloMs ?? null} summary={summary} onCursor={setAt} at={at} />
          <ul className="legend">
            {LINES.map((line) => (
              <li key={line.id}>
                <span className={`key ${line.name.replace(".", "")}`} aria-hidden="true" />
                {line.name}
                <b>{ms((shown?.point ?? (shown === undefined ? last : null))?.[line.id])}</b>
              </li>
            ))}
            <li className="when">
              {shown === undefined
                ? last === undefined
                  ? "none"
                  : `latest, ${moment(last.t * 1000)}`
                : moment(shown.t * 1000)}
              {shown !== undefined && <>, {shown.point === null ? "no calls" : `${String(shown.point.count)} calls`}</>}
            </li>
          </ul>
        </>
      )}
    </figure>
  );
}

function Plot({
  grid,
  log,
  sloMs,
  summary,
  onCursor,
  at,
}: {
  readonly grid: readonly { readonly t: number; readonly point: LatencyPoint | null }[];
  readonly log: boolean;
  readonly sloMs: number | null;
  readonly summary: string;
  readonly onCursor: (index: number | null) => void;
  readonly at: number | null;
}) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [theme, setTheme] = useState(0);
  const id = useId();
  useEffect(
    () =>
      onThemeChange(() => {
        setTheme((it) => it + 1);
      }),
    [],
  );
  const data = useMemo<uPlot.AlignedData>(
    () => [
      grid.map((it) => it.t),
      ...LINES.map((line) => grid.map((it) => it.point?.[line.id] ?? null)),
    ],
    [grid],
  );
  const tell = useEffectEvent(onCursor);
  const fill = useEffectEvent((chart: uPlot) => {
    chart.setData(data);
  });

  useEffect(() => {
    const element = host.current;
    if (element === null) {
      return;
    }
    const options = optionsOf(element.clientWidth, log, sloMs, (index) => {
      tell(index);
    });
    const made = new uPlot(options, [[]], element);
    fill(made);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [log, sloMs, theme]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- an image with a cursor; the table has all of it
    <div
      className="plot"
      ref={host}
      role="img"
      aria-label={summary}
      aria-describedby={id}
      tabIndex={0}
      onKeyDown={(event) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        const chart = plot.current;
        if (step !== 0 && chart !== null) {
          event.preventDefault();
          const next = Math.max(0, Math.min(grid.length - 1, (at ?? grid.length - 1) + step));
          chart.setCursor({ left: chart.valToPos(grid[next]?.t ?? 0, "x"), top: 10 });
        }
      }}
    >
      <span id={id} className="sr">
        Arrow keys move the cursor; the table shows all numbers.
      </span>
    </div>
  );
}

function optionsOf(
  width: number,
  log: boolean,
  sloMs: number | null,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "12px 'Inter Variable', sans-serif",
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true },
      y: log
        ? { distr: LOGARITHMIC, log: 10 }
        : { range: (_, __, most) => [0, (Number.isFinite(most) ? most : 1) * 1.05] },
    },
    axes: [
      { ...axis, space: 72, values: (_, ticks, __, ___, incr) => ticks.map((it) => timeOf(it, incr)) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((it: number | null) => (it === null ? "" : ms(it))) },
    ],
    series: [
      {},
      ...LINES.map((line) => ({
        stroke: colour(line.token),
        width: line.name === "p50" || line.name === "p99" ? 2 : 1.25,
        dash: [...line.dash],
        points: { size: 3, filter: isolated },
        spanGaps: false,
      })),
    ],
    bands: [
      { series: [2, 1], fill: colour("--band-1") },
      { series: [3, 2], fill: colour("--band-2") },
      { series: [4, 3], fill: colour("--band-3") },
    ],
    hooks: {
      setCursor: [
        (chart) => {
          onCursor(chart.cursor.idx ?? null);
        },
      ],
      draw: [
        (chart) => {
          if (sloMs === null) {
            return;
          }
          const y = Math.round(chart.valToPos(sloMs, "y", true));
          const { ctx, bbox } = chart;
          if (y < bbox.top || y > bbox.top + bbox.height) {
            return;
          }
          ctx.save();
          ctx.strokeStyle = colour("--bad");
          ctx.setLineDash([8, 4]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.restore();
        },
      ],
    },
  };
}

function PointsTable({ title, points }: { readonly title: string; readonly points: readonly LatencyPoint[] }) {
  return (
    <div className="table-scroll short" tabIndex={0} role="group" aria-label={`${title}, as a table`}>
      <table className="table" aria-label={title}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" className="end">
              Calls
            </th>
            <th scope="col" className="end">
              Failed
            </th>
            {LINES.map((line) => (
              <th key={line.id} scope="col" className="end">
                {line.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.t}>
              <td>{moment(point.t * 1000)}</td>
              <td className="end">{point.count}</td>
              <td className="end">{point.failed}</td>
              {LINES.map((line) => (
                <td key={line.id} className="end">
                  {ms(point[line.id])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
