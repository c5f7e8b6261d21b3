// Headless Chromium with every other origin blocked, and pages in it.
import { createRequire } from "node:module";
import { join } from "node:path";
import { root, serve } from "./support.mjs";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A browser, and a server of folders by their names beside the package and the tests' page. */
export async function start(folders, spoil) {
  const server = await serve({ dist: join(root, "wasm/web/dist"), page: join(root, "wasm/tests/page"), ...folders }, spoil);
  const strangers = [];
  // No name is found but one of this machine, which is no safe place to a browser, unlike its address.
  const flags = [...FLAGS, "--host-resolver-rules=MAP daybook.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
  /** A page in a context of its own or another's; what goes wrong in it is in `faults`. */
  const visit = async ({ context, origin = server.url, path = "/page/index.html", before } = {}) => {
    const own = context ?? (await browser.newContext());
    own.on("request", (request) => {
      const known = [origin, "data:", "blob:"].some((start) => request.url().startsWith(start));
      if (!known) strangers.push(request.url());
    });
    const page = await own.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    if (before) await page.addInitScript(before);
    await page.goto(origin + path);
    await page.waitForSelector("body[data-ready]", { state: "attached" });
    return { page, context: own, faults };
  };
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { browser, server, strangers, visit, close };
}
