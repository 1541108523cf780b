// A real browser against a running system.
//
// BASE_URL       where the system listens (required), e.g. http://127.0.0.1:8000
// MQTT_URL       its broker (required), e.g. mqtt://127.0.0.1:1883
// SMTP_URL       where it sends mail to (only mail.test.mjs, which listens there), e.g. smtp://127.0.0.1:2525
// USER_EMAIL, USER_PASSWORD   an administrator (default: the demo account of the documentation)
// CHROMIUM       the browser's program (default: /usr/bin/chromium)
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import mqtt from "mqtt";
import { chromium } from "playwright-core";

export const required = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see lib/browser.mjs`);
  return value.replace(/\/$/, "");
};

export const baseUrl = required("BASE_URL");
const mqttUrl = required("MQTT_URL");
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
export async function open(browser, { width = 1440, height = 900, theme = "light", motion = "reduce", state } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: motion,
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

// The browser state of a signed-in user, to open further pages with.
export async function signedIn(browser, who) {
  const page = await open(browser);
  await login(page, who);
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

async function ask(page, path, body, method = body ? "POST" : "GET") {
  const answer = await page.evaluate(async ([path, body, method]) => {
    const headers = {
      authorization: `Bearer ${localStorage.getItem("access_token")}`,
      "content-type": "application/json",
    };
    const answer = await fetch(`/api${path}`, { headers, method, body });
    return { ok: answer.ok, status: answer.status, total: answer.headers.get("x-total-count"), text: await answer.text() };
  }, [path, body && JSON.stringify(body), method]);
  if (!answer.ok) throw new Error(`${answer.status} ${method} ${path}: ${answer.text}`);
  return answer;
}

// The API as the signed-in user of `page`; with a body, `POST`, if no other method is named.
export async function api(page, path, body, method) {
  return JSON.parse((await ask(page, path, body, method)).text);
}

// How many there are in all of what is listed at `path`.
export async function total(page, path) {
  return Number((await ask(page, path)).total);
}

// The sensors of the machines whose name contains `machine`.
export async function sensorsOf(page, machine) {
  return api(page, `/sensors?limit=1000&search=${machine}`);
}

// A plant that publishes to the broker.
export async function connect() {
  const broker = await mqtt.connectAsync(mqttUrl);
  const send = (topic, text) => broker.publishAsync(topic, text, { qos: 1 });
  return {
    send,
    // A reading of `machine`, several values at once, or a list of either, as docs/configuration.md describes them.
    publish(machine, reading) {
      const named = (reading) => ({ machine_id: machine, ...reading });
      const payload = Array.isArray(reading) ? reading.map(named) : named(reading);
      return send(`factory/plant1/line1/${machine}/sensors`, JSON.stringify(payload));
    },
    end: () => broker.endAsync(),
  };
}

// The file that the browser is given when `act` is done.
export async function download(page, act) {
  const begun = page.waitForEvent("download");
  await act();
  const file = await begun;
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

// Until the page has got what it asked for.
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main *, .login") && !document.querySelector("[aria-busy]"));
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
  await settled(page);
  await page.waitForTimeout(400);
  await shoot(page, name);
  assert.deepEqual(page.complaints, [], name);
}
