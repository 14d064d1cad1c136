import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { destinationsOf, fieldsOf, problemsOf, secretsOf, settled, titleOf, type Schema } from "../src/pages/systems/schema";

const http = JSON.parse(
  readFileSync(new URL("../../codec/src/main/resources/io/penstock/codec/schema/http.json", import.meta.url), "utf8"),
) as Schema;
const good = { base_url: "http://erp:8080", allow: [{ methods: ["GET"], paths: ["/api/**"] }] };

describe("the form of the http plugin", () => {
  it("tells secrets and destinations apart", () => {
    expect(secretsOf(http)).toEqual(["password", "bearer_token", "header_value"]);
    expect(destinationsOf(http)).toEqual(["base_url", "ca_file"]);
  });

  it("follows references", () => {
    const [, connect] = fieldsOf(http).find(([name]) => name === "connect_ms") ?? [];

    expect(connect?.type).toBe("integer");
    expect(connect?.description).toMatch(/connection/);
  });

  it.each([
    [good, []],
    [{}, ["/base_url", "/allow"]],
    [{ ...good, base_url: "ftp://erp" }, ["/base_url"]],
    [{ ...good, max_connections: 0 }, ["/max_connections"]],
    [{ ...good, max_connections: 1.5 }, ["/max_connections"]],
    [{ ...good, user: "bob" }, ["/password"]],
    [{ ...good, allow: [{ methods: ["get"], paths: ["api"] }] }, ["/allow/0/methods/0", "/allow/0/paths/0"]],
    [{ ...good, allow: [{}] }, ["/allow/0/methods", "/allow/0/paths"]],
  ])("%j has problems at %j", (values, paths) => {
    expect([...problemsOf(http, values, []).keys()].sort()).toEqual([...paths].sort());
  });

  it("does not ask again for a secret that is kept", () => {
    expect(problemsOf(http, { ...good, user: "bob" }, ["password"]).size).toBe(0);
  });

  it("leaves out what is empty", () => {
    expect(settled({ a: "", b: undefined, c: 0, d: "x" })).toEqual({ c: 0, d: "x" });
  });

  it("has titles for people", () => {
    expect(titleOf("base_url")).toBe("Base URL");
    expect(titleOf("connect_ms")).toBe("Connect (ms)");
    expect(titleOf("ca_file")).toBe("CA file");
  });
});
