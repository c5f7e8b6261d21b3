// The viewer where things go wrong: hostile events, bundles that lie, servers that fail, browsers that lack something.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundleOfRecords, changedBundle, folder, hostileRecords, launch, openPage, quiet, serve, shopRecords, siteOf } from "./viewer-support.mjs";

const FAILED_LOAD = /Failed to load resource|net::ERR/;
let browser, server, shop;
/** Spoils what a test asks for. */
let spoil = () => ({});

before(async () => {
  shop = bundleOfRecords("robust", shopRecords().slice(0, 600));
  const manifest = (name, change) => changedBundle(name, shop, (place) => {
    const path = join(place, "manifest.json");
    const value = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, change(value) ?? JSON.stringify(value));
  });
  const sites = {
    site: shop,
    hostile: bundleOfRecords("hostile", hostileRecords()),
    none: undefined,
    html: manifest("html", () => "<!doctype html><title>Not found</title>"),
    newer: manifest("newer", (value) => void (value.daybook_bundle = 9)),
    lies: manifest("lies", (value) => void value.events++),
    outside: manifest("outside", (value) => void (value.files[0].path = "../secret")),
    hashes: manifest("hashes", (value) => void (value.files[0].sha256 = "0".repeat(64))),
  };
  const folders = Object.fromEntries(Object.entries(sites).map(([name, bundle]) => [name, siteOf(`robust-${name}`, bundle)]));
  server = await serve(folders, (path, range) => spoil(path, range));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

const isData = (path) => path.endsWith(".parquet");

test("texts of events never run, wherever they are shown", async () => {
  const { page, faults, strangers, close } = await openPage(browser, server, { path: "/hostile/index.html" });
  await quiet(page);
  assert.match(await page.locator("#row-0").innerText(), /evil|DROP/);
  for (let row = 0; row < 11; row++) {
    await page.locator(`#row-${row}`).click();
    await page.waitForSelector(".details .fields");
    for (const part of ["Changes", "History", "JSON", "Fields"]) {
      await page.getByRole("tab", { name: part }).click();
      await quiet(page);
    }
    assert.equal(await page.locator(".details script, .details img, .details svg[onload]").count(), 0);
    const links = await page.locator(".details a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    assert.deepEqual(links, []);
  }
  await page.getByRole("button", { name: "Filter for message" }).click();
  await quiet(page);
  assert.equal(await page.locator(".failure").count(), 0);
  for (const address of ["#/patterns", "#/patterns?patterns=templates", "#/patterns?patterns=sequences", "#/patterns?patterns=actors", "#/overview", "#/audit", "#/sql?sql=SELECT+*+FROM+events", "#/search?q=%3Cscript%3Ealert(9)%3C%2Fscript%3E&columns=%3Cimg+src%3Dx%3E"]) {
    await page.evaluate((to) => (location.hash = to), address);
    await page.waitForTimeout(50);
    await quiet(page);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.deepEqual([faults, strangers], [[], []]);
  await close();
});

test("a spreadsheet runs nothing of an exported file", async () => {
  const { page, close } = await openPage(browser, server, { path: "/hostile/index.html" });
  await quiet(page);
  await page.getByRole("button", { name: "Download" }).click();
  const [csv] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  const text = readFileSync(await csv.path(), "utf8");
  assert.match(text, /HYPERLINK/);
  assert.doesNotMatch(text, /(^|,)"?[=@]/m);
  await close();
});

for (const [what, path, expected] of [
  ["a page instead of a manifest", "/html/index.html", /manifest/],
  ["a bundle of a newer format", "/newer/index.html", /newer/],
  ["a manifest whose numbers do not agree", "/lies/index.html", /manifest/],
  ["a manifest that names files elsewhere", "/outside/index.html", /manifest|path/],
]) {
  test(`${what} is a clear message`, async () => {
    const { page, faults, close } = await openPage(browser, server, { path });
    await page.waitForSelector(".failure");
    assert.match(await page.locator(".failure").innerText(), expected);
    assert.ok(await page.locator(".chooser").isVisible(), "a file can be looked at all the same");
    assert.deepEqual(faults, []);
    await close();
  });
}

for (const [what, how, expected] of [
  ["a missing file", { status: 404 }, /404/],
  ["a server's error", { status: 500 }, /500/],
  ["a truncated file", { change: (bytes) => bytes.subarray(0, bytes.length - 1) }, /bytes/],
  ["changed bytes", { change: (bytes) => bytes.map((byte) => byte ^ 1) }, /hash|not what|damaged|differ/i],
  ["a connection that is cut", { cut: 3 }, /could not be fetched|connection/],
]) {
  test(`${what} is a clear message, and trying again works`, async () => {
    spoil = (path) => (isData(path) ? how : {});
    try {
      const { page, faults, close } = await openPage(browser, server, { expected: [FAILED_LOAD] });
      await page.waitForSelector(".failure");
      assert.match(await page.locator(".failure").first().innerText(), expected);
      spoil = () => ({});
      for (;;) {
        const again = page.getByRole("button", { name: "Try again" }).first();
        if ((await again.count()) === 0) break;
        await again.click();
        await quiet(page);
      }
      assert.equal(await page.getByTestId("total").innerText(), "600");
      assert.deepEqual(faults, []);
      await close();
    } finally {
      spoil = () => ({});
    }
  });
}

test("damaged files are named by the verification", async () => {
  const { page, close } = await openPage(browser, server, { path: "/hashes/index.html" });
  await page.getByRole("button", { name: "Verification: Verify" }).click();
  await page.getByRole("button", { name: "Verify all files" }).click();
  await page.waitForSelector(".badge-menu.damaged");
  assert.match(await page.locator(".verify").innerText(), /1 of \d+ files are not as the manifest says[\s\S]*\.parquet/);
  await close();
});

test("without a bundle there is a start page, and a dropped log file is shown", async () => {
  const { page, faults, close } = await openPage(browser, server, { path: "/none/index.html", expected: [/404/] });
  await page.waitForSelector(".chooser");
  assert.match(await page.locator(".start").innerText(), /no bundle of events beside this page/);
  const lines = Array.from({ length: 500 }, (_, at) => `2026-02-03T10:00:${String(at % 60).padStart(2, "0")}Z ${at % 5 ? "INFO" : "ERROR"} worker ${at} did <b>something</b>`).join("\n");
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "app.log", { type: "text/plain" }));
    return transfer;
  }, lines);
  await page.dispatchEvent("body", "dragover", { dataTransfer: data });
  assert.ok(await page.locator(".dropzone").isVisible());
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await page.waitForSelector("[data-testid=total]");
  await quiet(page);
  assert.equal(await page.getByTestId("total").innerText(), "500");
  assert.match(await page.locator("header.top").innerText(), /local file/);
  await page.fill("#search", "severity>=error");
  await page.keyboard.press("Enter");
  await quiet(page);
  assert.equal(await page.getByTestId("total").innerText(), "100");
  assert.deepEqual(faults, []);
  await close();
});

test("a file of 2 GB is refused with its size, and what is open stays", async () => {
  const place = folder("large");
  mkdirSync(place);
  const path = join(place, "large.log");
  writeFileSync(path, "x\n");
  truncateSync(path, 2 * 2 ** 30);
  const { page, faults, close } = await openPage(browser, server);
  await quiet(page);
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.id = "probe";
    document.body.append(input);
  });
  await page.setInputFiles("#probe", path);
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(document.querySelector("#probe").files[0]);
    dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  await page.waitForSelector(".aside .failure");
  assert.match(await page.locator(".aside").innerText(), /2\.1 GB.*at most/);
  await page.locator(".aside").getByRole("button", { name: "Close" }).click();
  assert.equal(await page.getByTestId("total").innerText(), "600");
  assert.deepEqual(faults, []);
  await close();
});

test("a file that is no log, and an empty one, are clear messages", async () => {
  const { page, close } = await openPage(browser, server, { path: "/none/index.html", expected: [/404/] });
  await page.waitForSelector(".chooser");
  const choose = (name, buffer) => page.setInputFiles(".chooser input >> nth=0", { name, mimeType: "text/plain", buffer });
  await choose("empty.log", Buffer.alloc(0));
  await page.waitForSelector(".failure");
  assert.match(await page.locator(".failure").innerText(), /no records/);
  assert.ok(await page.locator(".chooser").isVisible());
  await close();
});

test("a browser without WebAssembly is told so", async () => {
  const prepare = (_context, page) => page.addInitScript(() => delete globalThis.WebAssembly);
  const { page, faults, close } = await openPage(browser, server, { prepare });
  await page.waitForSelector(".failure");
  assert.match(await page.locator(".failure").innerText(), /WebAssembly/);
  assert.deepEqual(faults, []);
  await close();
});

test("a browser that keeps nothing still shows everything", async () => {
  const prepare = (_context, page) =>
    page.addInitScript(() => {
      const blocked = { get: () => { throw new DOMException("blocked", "SecurityError"); } };
      Object.defineProperty(window, "localStorage", blocked);
      Object.defineProperty(window, "caches", blocked);
    });
  const { page, faults, close } = await openPage(browser, server, { prepare });
  await quiet(page);
  assert.equal(await page.getByTestId("total").innerText(), "600");
  await page.getByRole("button", { name: "Saved" }).click();
  await page.getByRole("textbox", { name: "Name of the query" }).fill("x");
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".savedlist").innerText(), /keeps nothing/);
  assert.deepEqual(faults, []);
  await close();
});

test("a slow server shows how far it is, and what was asked before is stopped", async () => {
  const { page, faults, close } = await openPage(browser, server);
  await quiet(page);
  for (const filter of ["kind:login", "kind:payment", "kind:job", "number 5", "severity>=error"]) {
    await page.fill("#search", filter);
    await page.keyboard.press("Enter");
  }
  await quiet(page);
  assert.equal(await page.getByTestId("total").innerText(), "100");
  assert.deepEqual(faults, []);
  await close();
});

test("the page works under a sub-path, from any folder", async () => {
  const place = folder("deep");
  mkdirSync(join(place, "a/b c"), { recursive: true });
  cpSync(siteOf("robust-site", shop), join(place, "a/b c"), { recursive: true, dereference: true });
  assert.ok(readdirSync(join(place, "a/b c")).includes("manifest.json"));
  const other = await serve({ deep: place });
  const { page, faults, strangers, close } = await openPage(browser, other, { path: "/deep/a/b%20c/index.html" });
  await quiet(page);
  assert.equal(await page.getByTestId("total").innerText(), "600");
  assert.deepEqual([faults, strangers], [[], []]);
  await close();
  other.close();
});
