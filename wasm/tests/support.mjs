// What the tests share: bundles made by the program, a static server that can go wrong, and how answers are compared.
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export { answer } from "./page/answer.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const program = process.env.DAYBOOK_PROGRAM ?? join(root, "target/release/daybook");
const temporary = mkdtempSync(join(tmpdir(), "daybook-web-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

export function daybook(...words) {
  return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A new folder for a test. */
export function folder(name) {
  return join(temporary, name);
}

/** A bundle of the events of a file. */
export function bundleOf(name, events) {
  const store = folder(`${name}-store`);
  const bundle = folder(name);
  daybook("ingest", events, "--store", store, "-q");
  daybook("export", "--bundle", bundle, "--no-viewer", "--store", store);
  return bundle;
}

/** A bundle of a year of sample events. */
export function demo(name = "demo", events = 100_000, ...which) {
  const store = folder(`${name}-store`);
  const bundle = folder(name);
  daybook("demo", "--events", String(events), "--until", "2026-06-30", "--store", store, "-q");
  daybook("export", "--bundle", bundle, "--no-viewer", "--store", store, ...which);
  return bundle;
}

const conformance = join(root, "tests/conformance");

/** The groups of cases, each with its cases and a bundle of its events. */
export function groups() {
  const names = readdirSync(conformance, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.map(({ name }) => {
    const files = readdirSync(join(conformance, name)).filter((file) => file.endsWith(".json")).sort();
    const cases = files.flatMap((file) => JSON.parse(readFileSync(join(conformance, name, file), "utf8")));
    return { name, cases, bundle: bundleOf(`conformance-${name}`, join(conformance, name, "events.jsonl")) };
  });
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".json": "application/json" };

/**
 * Serves folders by their first names; `spoil(path, range)` may answer `{status}`, `{cut}`, `{noRanges}`, `{stall}` or `{change}`.
 */
export async function serve(folders, spoil = () => ({})) {
  const asked = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    asked.push({ path, range: range?.[0] });
    const [, first, ...rest] = normalize(path).split("/");
    const place = folders[first] && join(folders[first], ...rest);
    const how = spoil(path, range);
    if (how.status) return response.writeHead(how.status).end();
    if (how.stall) return;
    let size;
    try {
      size = statSync(place).size;
    } catch {
      return response.writeHead(404).end();
    }
    const headers = { "Content-Type": TYPES[extname(place)] ?? "application/octet-stream", ...how.headers };
    let [start, end] = range && !how.noRanges ? [Number(range[1]), Math.min(Number(range[2]), size - 1)] : [0, size - 1];
    if (start > end && size > 0) return response.writeHead(416).end();
    const status = range && !how.noRanges ? 206 : 200;
    if (how.change) {
      const bytes = how.change(readFileSync(place).subarray(start, end + 1));
      return response.writeHead(status, { ...headers, "Content-Length": bytes.length }).end(bytes);
    }
    response.writeHead(status, { ...headers, "Content-Length": size === 0 ? 0 : end - start + 1 });
    if (size === 0) return response.end();
    if (how.cut) end = Math.max(start, end - how.cut);
    const stream = createReadStream(place, { start, end });
    stream.pipe(response, { end: !how.cut });
    if (how.cut) stream.on("end", () => response.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, asked, close: () => (server.closeAllConnections(), server.close()) };
}

/** Cases that DuckDB 1.4.3 answers otherwise than 2.0, or that are about what a bundle does not have, each with its reason. */
export const EXCUSED = new Map(Object.entries(JSON.parse(readFileSync(new URL("./excused.json", import.meta.url), "utf8"))));

/** What is wrong with the outcome of a case, if anything. */
export function fault(one, outcome) {
  if ("error" in one) {
    if (!outcome.error) return `gave ${JSON.stringify(outcome.answer)}`;
    const { kind, message, hint } = outcome.error;
    const right = kind === one.error && `${message} ${hint ?? ""}`.includes(one.message ?? "");
    return right ? undefined : `gave ${kind}: ${message} ${hint ?? ""}`;
  }
  if (outcome.error) return `gave ${outcome.error.kind}: ${outcome.error.message}`;
  const expected = one.rows ?? one.matches ?? one.report;
  const given = plain(outcome.answer, new Set([...(one.ignore ?? []), "seq"]));
  return same(given, expected) ? undefined : `gave     ${JSON.stringify(given)}\nexpected ${JSON.stringify(expected)}`;
}

function plain(value, ignored) {
  if (Array.isArray(value)) return value.map((one) => plain(one, ignored));
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key]) => !ignored.has(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, plain(one, ignored)]));
}

function same(one, other) {
  if (typeof one === "number" && typeof other === "number") {
    return one === other || Math.abs(one - other) <= 1e-9 * Math.max(Math.abs(one), Math.abs(other));
  }
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((x, at) => same(x, other[at]));
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && same(one[key], other[key]));
}
