// What is kept from one visit to the next, in headless Chromium.
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start } from "./chromium.mjs";
import { bundleOf, folder, root } from "./support.mjs";

const EVENTS = join(root, "tests/conformance/basics/events.jsonl");
const KINDS = "SELECT count(kind) AS n FROM events";
const changing = folder("changing");
let chromium, small, other;

before(async () => {
  small = bundleOf("small", EVENTS);
  other = bundleOf("other", join(root, "tests/conformance/values/events.jsonl"));
  cpSync(small, changing, { recursive: true });
  chromium = await start({ small, changing });
});
after(() => chromium?.close());

/** Opens a bundle in a new page, asks about it, and waits until what was fetched is kept. */
async function visited(context, place, { stored = true, ...how } = {}) {
  const visit = await chromium.visit({ context, ...how });
  const before = chromium.server.asked.length;
  await visit.page.evaluate((place) => window.daybook.open("a", place), place);
  const count = await visit.page.evaluate((sql) => window.daybook.count("a", sql), KINDS);
  const kept = async () => (await visit.page.evaluate(() => window.daybook.counters("a"))).bytesStored;
  while (stored && (await kept()) === 0) await visit.page.waitForTimeout(50);
  const data = chromium.server.asked.slice(before).filter(({ path }) => path.endsWith(".parquet"));
  return { ...visit, count, data };
}

test("a second visit fetches nothing but the manifest", async () => {
  const context = await chromium.browser.newContext();
  const first = await visited(context, "/small/");
  assert.ok(first.data.length > 0);
  const second = await visited(context, "/small/", { stored: false });
  assert.equal(second.count, first.count);
  assert.deepEqual(second.data, []);
  assert.ok((await second.page.evaluate(() => window.daybook.counters("a"))).bytesFromCache > 0);
  await context.close();
});

test("two tabs ask at once, and neither is in the other's way", async () => {
  const context = await chromium.browser.newContext();
  const [one, two] = await Promise.all([visited(context, "/small/"), visited(context, "/small/")]);
  assert.equal(one.count, two.count);
  assert.deepEqual((await visited(context, "/small/", { stored: false })).data, []);
  await context.close();
});

test("a bundle that was replaced is fetched anew, and what was kept of the old one goes", async () => {
  const context = await chromium.browser.newContext();
  const first = await visited(context, "/changing/");
  rmSync(changing, { recursive: true });
  cpSync(other, changing, { recursive: true });
  const second = await visited(context, "/changing/");
  assert.ok(second.data.length > 0);
  assert.notEqual(second.count, first.count);
  const versions = await second.page.evaluate(async () => {
    const ours = await (await navigator.storage.getDirectory()).getDirectoryHandle("daybook");
    const versions = [];
    for await (const bundle of ours.values()) for await (const version of bundle.keys()) versions.push(version);
    return versions;
  });
  assert.equal(versions.length, 1);
  // The first tab goes on with what it has in memory.
  assert.equal(await first.page.evaluate((sql) => window.daybook.count("a", sql), KINDS), first.count);
  await context.close();
});

test("what was kept and is damaged is fetched again", async () => {
  const context = await chromium.browser.newContext();
  const { page } = await visited(context, "/small/");
  await page.evaluate(async () => {
    const files = async function* (folder) {
      for await (const handle of folder.values()) if (handle.kind === "file") yield handle;
      else yield* files(handle);
    };
    for await (const handle of files(await navigator.storage.getDirectory())) {
      const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
      bytes.fill(0, bytes.length >> 1);
      const writer = await handle.createWritable();
      await writer.write(bytes);
      await writer.close();
    }
  });
  const second = await visited(context, "/small/", { stored: false });
  assert.ok(second.count > 0);
  assert.ok(second.data.length > 0);
  await context.close();
});

test("a browser that keeps nothing fetches again", async () => {
  const context = await chromium.browser.newContext();
  const session = await context.newCDPSession(await context.newPage());
  await session.send("Storage.overrideQuotaForOrigin", { origin: chromium.server.url, quotaSize: 1 });
  const first = await visited(context, "/small/", { stored: false });
  const second = await visited(context, "/small/", { stored: false });
  assert.equal(second.count, first.count);
  assert.deepEqual(second.faults, []);
  await context.close();
});

test("a page that did not come safely has no storage, and works", async () => {
  const origin = chromium.server.url.replace("127.0.0.1", "daybook.test");
  const { page, count, faults } = await visited(undefined, "/small/", { stored: false, origin });
  assert.equal(await page.evaluate(() => window.isSecureContext), false);
  assert.ok(count > 0);
  assert.deepEqual(faults, []);
});

test("nothing is kept where the caller does not want it", async () => {
  const { page, context } = await chromium.visit();
  await page.evaluate(() => window.daybook.open("a", "/small/", { persist: false }));
  await page.evaluate((sql) => window.daybook.count("a", sql), KINDS);
  await page.waitForTimeout(1_000);
  assert.equal((await page.evaluate(() => window.daybook.counters("a"))).bytesStored, 0);
  await context.close();
});
