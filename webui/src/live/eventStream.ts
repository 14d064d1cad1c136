/** One server-sent event. */
export interface ServerEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** Cuts text, in whatever pieces it arrives, into events (HTML standard, 9.2.6). Pure. */
export class EventReader {
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];
  private seenReturn = false;

  read(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // A line end of two characters may come in two pieces.
    let text = chunk;
    if (this.seenReturn && text.startsWith("\n")) {
      text = text.slice(1);
    }
    this.seenReturn = text === "" ? this.seenReturn : text.endsWith("\r");
    this.rest += text;
    const lines = this.rest.split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        this.dispatch(events);
      } else {
        this.field(line);
      }
    }
    return events;
  }

  private dispatch(events: ServerEvent[]): void {
    if (this.data.length > 0) {
      events.push({
        id: this.id,
        event: this.event === "" ? "message" : this.event,
        data: this.data.join("\n"),
      });
    }
    this.id = null;
    this.event = "";
    this.data = [];
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    switch (name) {
      case "id":
        this.id = value;
        break;
      case "event":
        this.event = value;
        break;
      case "data":
        this.data.push(value);
        break;
      default:
      // A comment, or what a later broker says.
    }
  }
}
