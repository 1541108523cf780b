// A plant of 200 machines and 2,000 sensors with 260 open alarms, and 100 readings a second: pages stay small, ask
// little, and rest. Times and loads are printed; what is asserted are numbers of rows, requests and bytes, and a bound
// on the load that a busy machine keeps too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import mqtt from "mqtt";
import { api, baseUrl, launch, login, mqttUrl, open, until } from "./lib/browser.mjs";

const plant = `scale-${Date.now().toString(36)}`;
const machines = Array.from({ length: 200 }, (_, i) => `${plant}-${String(i).padStart(3, "0")}`);
let browser, page, broker, cdp;

const publish = (machine, values) =>
  broker.publishAsync(
    `factory/plant1/line1/${machine}/sensors`,
    JSON.stringify({ machine_id: machine, values, unit: "bar" }),
    { qos: 1 },
  );

before(async () => {
  browser = await launch();
  page = await open(browser);
  broker = await mqtt.connectAsync(mqttUrl);
  await login(page);
  const made = await api(page, "/machines/bulk", machines.map((name) => ({ name })));
  const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
  await Promise.all(machines.map((m) => publish(m, Object.fromEntries(names.map((n) => [n, 1])))));
  await until(async () => (await total(`/sensors?limit=1&search=${plant}`)) === 2000, "2,000 sensors", 120_000);
  for (let i = 0; i < 260; i += 20) {
    const some = Array.from({ length: Math.min(20, 260 - i) }, (_, j) => ({
      machine_id: made[(i + j) % 200].id, severity: j % 2 ? "warning" : "info", message: `${plant}: check ${i + j}`,
    }));
    await Promise.all(some.map((alarm) => api(page, "/alarms", alarm)));
  }
  cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
});
after(async () => {
  await broker?.endAsync();
  await browser?.close();
});

const total = (path) =>
  page.evaluate(async (path) => {
    const headers = { authorization: `Bearer ${localStorage.getItem("access_token")}` };
    return Number((await fetch(`/api${path}`, { headers })).headers.get("x-total-count"));
  }, path);
const settled = () =>
  page.waitForFunction(() => document.querySelector("main *") && !document.querySelector("[aria-busy]"));
const metrics = async () =>
  Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));

async function asked(during) {
  const requests = [];
  const note = (response) => response.url().includes("/api/") && requests.push(response);
  page.on("response", note);
  await during();
  page.off("response", note);
  let bytes = 0;
  for (const r of requests) bytes += r.url().includes("/stream") ? 0 : (await r.body().catch(() => "")).length;
  return { count: requests.length, bytes, paths: requests.map((r) => new URL(r.url()).pathname) };
}

for (const [path, row, words] of [
  [`/sensors?q=${plant}`, "tbody tr", "Page 1 of 40"],
  [`/machines?q=${plant}`, "tbody tr", "Page 1 of 4"],
  [`/alarms?q=${plant}`, ".alarm", "Page 1 of 6"],
]) {
  test(`${path.split("?")[0]} shows one page at a time`, async (t) => {
    await page.goto(`${baseUrl}/app${path}`);
    await page.getByText(words, { exact: true }).waitFor();
    assert.equal(await page.locator(`main ${row}`).count(), 50);
    const { LayoutCount, TaskDuration } = await metrics();
    // What the page holds; the browser's own count has nodes in it that it has not collected yet.
    const elements = await page.evaluate(() => document.querySelectorAll("*").length);
    const first = await page.locator(`main ${row}`).first().innerText();
    const { bytes, paths } = await asked(async () => {
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText(words.replace("Page 1", "Page 2")).waitFor();
      await page.waitForFunction(
        ([row, first]) => document.querySelector(`main ${row}`)?.innerText !== first, [row, first],
      );
    });
    const turned = await metrics();
    t.diagnostic(
      `${elements} elements; the next page took ${Math.round((turned.TaskDuration - TaskDuration) * 1000)} ms of one core, ` +
        `${turned.LayoutCount - LayoutCount} layouts, ${paths.length} requests, ${bytes} bytes`,
    );
    assert.ok(elements < 5_000, `${elements} elements`);
    assert.ok(bytes < 400_000, `${bytes} bytes`);
  });
}

test("j goes down the list of sensors, Enter opens one", async () => {
  await page.goto(`${baseUrl}/app/sensors?q=${plant}-199`);
  await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 10);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const name = await page.evaluate(() => document.activeElement.querySelector("a").textContent);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name, level: 1 }).waitFor();
});

test("the overview asks little and is usable soon", async (t) => {
  const state = await page.context().storageState();
  const fresh = await open(browser, { state });
  let bytes = 0;
  let count = 0;
  fresh.on("response", async (r) => {
    if (!r.url().includes("/api/") || r.url().includes("/stream")) return;
    count += 1;
    bytes += (await r.body().catch(() => "")).length;
  });
  await fresh.goto(`${baseUrl}/app/`);
  const usable = await fresh.evaluate(
    () =>
      new Promise((resolve) => {
        const look = () => {
          const figures = [...document.querySelectorAll(".tile .figure")];
          const ready = figures.length === 4 && figures.every((f) => /\d/.test(f.textContent));
          if (ready && document.querySelector("main tbody tr")) {
            resolve(performance.now() - performance.getEntriesByType("navigation")[0].responseStart);
          } else requestAnimationFrame(look);
        };
        look();
      }),
  );
  t.diagnostic(`usable ${Math.round(usable)} ms after the first byte; ${count} requests, ${bytes} bytes`);
  assert.ok(count < 40, `${count} requests`);
  assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  assert.deepEqual(fresh.complaints, []);
  await fresh.context().close();
});

// 100 readings a second for some seconds, each of another sensor.
async function stream(seconds) {
  for (let i = 0; i < seconds * 10; i++) {
    const begin = Date.now();
    const some = Array.from({ length: 10 }, (_, j) => machines[(i * 10 + j) % 200]);
    await Promise.all(some.map((m, j) => publish(m, { [`s${(i + j) % 10}`]: 1 + Math.random() })));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (Date.now() - begin))));
  }
}

for (const path of ["/", "/sensors", "/alarms"]) {
  test(`${path} rests while 100 readings a second arrive`, async (t) => {
    await page.goto(`${baseUrl}/app${path}`);
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await settled();
    await stream(2);
    const before = await metrics();
    const begin = performance.now();
    const { count, bytes } = await asked(() => stream(8));
    const seconds = (performance.now() - begin) / 1000;
    const now = await metrics();
    const load = (now.TaskDuration - before.TaskDuration) / seconds;
    const script = (now.ScriptDuration - before.ScriptDuration) / seconds;
    t.diagnostic(
      `${(load * 100).toFixed(1)} % of one core, ${(script * 100).toFixed(1)} % in scripts; ` +
        `${count} requests, ${bytes} bytes in ${seconds.toFixed(1)} s`,
    );
    assert.ok(load < 0.6, `${load} of one core`);
    assert.ok(count < 10 * seconds, `${count} requests in ${seconds} s`);
  });
}

test("a hidden page does nothing", async () => {
  await page.goto(`${baseUrl}/app/`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await page.getByRole("button", { name: "Paused" }).waitFor();
  await settled();
  // longer than the pulse
  const { paths } = await asked(() => stream(12));
  assert.deepEqual(paths, []);
  await page.evaluate(() => {
    delete document.hidden;
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
});

test("nothing complained", () => assert.deepEqual(page.complaints, []));
