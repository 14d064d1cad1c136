// Holds the bundle to its budget: what a first visit loads, and each page that comes later, in gzip.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const INITIAL_KB = 200;
const CHUNK_KB = 60;

const directory = process.argv[2];
const assets = join(directory, "assets");
const zipped = (name) => gzipSync(readFileSync(join(assets, name))).length / 1000;

const html = readFileSync(join(directory, "index.html"), "utf8");
const initial = new Set([...html.matchAll(/assets\/([^"]+\.js)/g)].map((match) => match[1]));
const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
const initialKb = [...initial].reduce((sum, name) => sum + zipped(name), 0);

const problems = [];
if (initial.size === 0) {
  problems.push("index.html: expected scripts, found none");
}
if (initialKb > INITIAL_KB) {
  problems.push(`initial JavaScript: expected at most ${INITIAL_KB} kB, found ${initialKb.toFixed(1)} kB`);
}
for (const name of scripts.filter((it) => !initial.has(it))) {
  const kb = zipped(name);
  if (kb > CHUNK_KB) {
    problems.push(`${name}: expected at most ${CHUNK_KB} kB, found ${kb.toFixed(1)} kB`);
  }
}
console.log(`webui: initial JavaScript ${initialKb.toFixed(1)} of ${INITIAL_KB} kB gzip, ${scripts.length - initial.size} more chunks`);
for (const problem of problems) {
  console.error(`webui: over budget: ${problem}`);
}
process.exit(problems.length === 0 ? 0 : 1);
