// A real browser against a running system.
//
// BASE_URL       where the system listens (required), e.g. http://127.0.0.1:8000
// MQTT_URL       its broker (required), e.g. mqtt://127.0.0.1:1883
// USER_EMAIL, USER_PASSWORD   an administrator (default: the demo account of the documentation)
// CHROMIUM       the browser's program (default: /usr/bin/chromium)
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const required = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see lib/browser.mjs`);
  return value.replace(/\/$/, "");
};

export const baseUrl = required("BASE_URL");
export const mqttUrl = required("MQTT_URL");
export const email = process.env.USER_EMAIL ?? "admin@example.com";
export const password = process.env.USER_PASSWORD ?? "admin123";
export const roles = {
  viewer: { email: "viewer@example.com", password: "viewer123" },
  engineer: { email: "engineer@example.com", password: "engineer123" },
  admin: { email, password },
};
export const output = new URL("../output/", import.meta.url).pathname;

export async function launch() {
  await mkdir(output, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

// A page whose console errors, warnings and failed requests are collected in `page.complaints`.
export async function open(browser, { width = 1440, height = 900, theme = "light", state } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: "reduce",
    storageState: state,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("response", (response) => {
    if (response.status() >= 500) page.complaints.push(`${response.status()} ${response.url()}`);
  });
  return page;
}

export async function login(page, who = { email, password }) {
  await page.goto(`${baseUrl}/app/`);
  await page.getByLabel("Mail address").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Overview" }).first().waitFor();
}

// The API as the signed-in user of `page`; with a body, `POST`.
export async function api(page, path, body) {
  return page.evaluate(async ([path, body]) => {
    const headers = {
      authorization: `Bearer ${localStorage.getItem("access_token")}`,
      "content-type": "application/json",
    };
    const answer = await fetch(`/api${path}`, { headers, method: body ? "POST" : "GET", body });
    if (!answer.ok) throw new Error(`${answer.status} ${path}: ${await answer.text()}`);
    return answer.json();
  }, [path, body && JSON.stringify(body)]);
}

// Until `ask` answers with something; the last answer.
export async function until(ask, what, milliseconds = 15_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) assert.fail(`${what} within ${milliseconds / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// The picture `name`: nothing needs sideways scrolling and axe finds nothing serious.
export async function shoot(page, name) {
  await page.screenshot({ path: `${output}${name}.png` });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `${name}: ${sideways} px wider than the window`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 4).join(" | ")}`);
  assert.deepEqual(serious, [], name);
}

// The picture `name` of a page that has settled and complains about nothing.
export async function inspect(page, name) {
  await page.waitForFunction(() => document.querySelector("main, .login") && !document.querySelector("[aria-busy]"));
  await page.waitForTimeout(400);
  await shoot(page, name);
  assert.deepEqual(page.complaints, [], name);
}
