// Opens the report's fixtures in Chromium and counts what passed.
//
// The browser has no network to reach: every request whose scheme is not file, data or blob is aborted and counted as a
// failure, as is every console error, page error and policy violation.
import { chromium } from "playwright-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
export const pages = process.env.REPORT_OUT;
const profile = mkdtempSync(join(tmpdir(), "snapvisor-report-"));

export async function launch() {
  return chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS, headless: true, viewport: { width: 1440, height: 900 }, acceptDownloads: true,
  });
}

export function cleanUp() {
  rmSync(profile, { recursive: true, force: true });
}

export const address = (name, hash = "") => pathToFileURL(join(pages, `${name}.html`)).href + hash;

// A page with its own list of everything that must not happen.
export async function open(browser, name, { hash = "", scheme = "light", width = 1440, height = 900, javaScript = true } = {}) {
  const context = await browser.browser()?.newContext?.({ colorScheme: scheme, viewport: { width, height }, javaScriptEnabled: javaScript, acceptDownloads: true }) ?? browser;
  await context.grantPermissions?.(["clipboard-read", "clipboard-write"]).catch(() => {});
  const page = await context.newPage();
  const wrong = [];
  page.on("console", message => message.type() === "error" && wrong.push(`console: ${message.text()}`));
  page.on("pageerror", error => wrong.push(`error: ${error.message}`));
  page.on("dialog", dialog => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", request => /^(file|data|blob):/.test(request.url()) || wrong.push(`request: ${request.url()}`));
  await page.route(url => !/^(file|data|blob):$/.test(url.protocol), route => route.abort());
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  await page.goto(address(name, hash));
  return { page, wrong, close: () => (context === browser ? page.close() : context.close()) };
}

// What the page does after it has shown a key or a click.
export const settled = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))));

let passed = 0, failed = 0;
export async function test(sentence, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok      ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${sentence}\n        ${String(error.stack ?? error).split("\n").slice(0, 6).join("\n        ")}`);
  }
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
