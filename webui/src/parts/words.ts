import { brokerNow } from "../api/brokerTime";

/** Numbers, times and states in words; the same everywhere. */

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return "–";
  }
  if (value < 10) {
    return `${value.toFixed(value < 1 ? 2 : 1)} ms`;
  }
  if (value < 1000) {
    return `${value.toFixed(0)} ms`;
  }
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toLocaleString("en");
}

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "–";
  }
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "–";
  }
  const hundred = value * 100;
  if (hundred === 0 || hundred === 100) {
    return `${hundred.toFixed(0)} %`;
  }
  // Never rounded up to perfect.
  return hundred > 99.9 ? "99.9 %" : `${hundred.toFixed(hundred < 10 ? 2 : 1)} %`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "–";
  }
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(unit === 0 || size >= 100 ? 0 : 1)} ${units[unit] ?? ""}`;
}

/** 4:05, or 1:04:05. */
export function clock(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
  return hours > 0 ? `${String(hours)}:${String(minutes).padStart(2, "0")}:${rest}` : `${String(minutes)}:${rest}`;
}

/** "3 min ago", "in 2 h"; coarse, because the exact time stands beside it. */
export function ago(at: string | number, now: number = brokerNow()): string {
  const then = typeof at === "number" ? at : Date.parse(at);
  if (Number.isNaN(then)) {
    return "–";
  }
  const seconds = Math.round((now - then) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) {
    return "now";
  }
  const text =
    size < 60
      ? `${String(size)} s`
      : size < 3600
        ? `${String(Math.floor(size / 60))} min`
        : size < 172_800
          ? `${String(Math.floor(size / 3600))} h`
          : `${String(Math.floor(size / 86_400))} d`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A local time of day to the second; with its date when it is not of today. */
export function moment(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) {
    return "–";
  }
  const pad = (n: number) => String(n).padStart(2, "0");
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const day = `${String(date.getFullYear())}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return date.toDateString() === new Date().toDateString() ? time : `${day} ${time}`;
}
