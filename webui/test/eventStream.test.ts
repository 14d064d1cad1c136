import { describe, expect, it } from "vitest";
import { EventReader } from "../src/live/eventStream";
import { backoff } from "../src/live/liveFeed";

const STREAM = ': hello\nid: 7\nevent: agent\ndata: {"id":"ä"}\n\ndata: one\r\ndata: two\r\n\r\nevent: lost\n\nid\ndata:x\r\r';

describe("an event stream", () => {
  it("is read whole", () => {
    expect(new EventReader().read(STREAM)).toEqual([
      { id: "7", event: "agent", data: '{"id":"ä"}' },
      { id: null, event: "message", data: "one\ntwo" },
      { id: "", event: "message", data: "x" },
    ]);
  });

  it("is the same in whatever pieces it comes", () => {
    const whole = new EventReader().read(STREAM);
    for (let size = 1; size < 8; size++) {
      const reader = new EventReader();
      const found = [];
      for (let at = 0; at < STREAM.length; at += size) {
        found.push(...reader.read(STREAM.slice(at, at + size)));
      }
      expect(found).toEqual(whole);
    }
  });

  it("is dialled again later and later, and never at the same moment", () => {
    expect(backoff(0, 0)).toBe(250);
    expect(backoff(0, 1)).toBe(500);
    expect(backoff(3, 1)).toBe(4_000);
    expect(backoff(1_000, 1)).toBe(10_000);
  });
});
