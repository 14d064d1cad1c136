/** One finding of a problem document. */
export interface Finding {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** An answer that is not the wished one, as the broker said it (RFC 9457). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly findings: readonly Finding[];
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    title: string,
    detail: string,
    requestId: string,
    findings: readonly Finding[],
    retryAfterSeconds: number | null,
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.requestId = requestId;
    this.findings = findings;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer: the broker or the way to it is away. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";

  constructor() {
    super("The broker does not answer.");
  }
}

export function problemOf(response: Response, body: unknown): ApiError {
  const members = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string, otherwise: string) =>
    typeof members[name] === "string" ? members[name] : otherwise;
  const findings = Array.isArray(members["errors"]) ? (members["errors"] as Finding[]) : [];
  const retry = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(
    response.status,
    text("title", `HTTP ${String(response.status)}`),
    text("detail", "The broker refused this without saying why."),
    text("request_id", response.headers.get("Penstock-Request-Id") ?? ""),
    findings,
    Number.isNaN(retry) ? null : retry,
  );
}

/** What to tell somebody of a failure, in one sentence. */
export function sentenceOf(error: unknown): string {
  const text =
    error instanceof ApiError
      ? error.detail === ""
        ? error.title
        : error.detail
      : error instanceof Error && error.message !== ""
        ? error.message
        : "something failed that left no message";
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(sentence) ? sentence : `${sentence}.`;
}
