// A plant of 200 machines and 2,000 sensors with 260 open alarms, and 100 readings or 100 alarm events a second: pages
// stay small, send few requests, use little processor time, and draw smoothly. Times and loads are printed. Asserted are
// numbers of rows, requests, events and bytes, and bounds on load and tasks that hold on a busy machine too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, baseUrl, connect, launch, login, open, settled, total, until } from "./lib/browser.mjs";

const stamp = `scale-${Date.now().toString(36)}`;
const machines = Array.from({ length: 200 }, (_, i) => `${stamp}-${String(i).padStart(3, "0")}`);
let browser, page, plant, cdp, system;

const publish = (machine, values) => plant.publish(machine, { values, unit: "bar" });

before(async () => {
  browser = await launch();
  page = await open(browser);
  plant = await connect();
  await login(page);
  const made = await api(page, "/machines/bulk", machines.map((name) => ({ name })));
  const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
  await Promise.all(machines.map((m) => publish(m, Object.fromEntries(names.map((n) => [n, 1])))));
  await until(async () => (await total(page, `/sensors?limit=1&search=${stamp}`)) === 2000, "2,000 sensors", 120_000);
  for (let i = 0; i < 260; i += 20) {
    const some = Array.from({ length: Math.min(20, 260 - i) }, (_, j) => ({
      machine_id: made[(i + j) % 200].id, severity: j % 2 ? "warning" : "info", message: `${stamp}: check ${i + j}`,
    }));
    await Promise.all(some.map((alarm) => api(page, "/alarms", alarm)));
  }
  cdp = await page.context().newCDPSession(page);
  // Processor time of the thread, not elapsed time, which depends on other programs.
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  system = await browser.newBrowserCDPSession();
});
after(async () => {
  await plant?.end();
  await browser?.close();
});

const metrics = async () =>
  Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));

async function requestsDuring(during) {
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
  [`/sensors?q=${stamp}`, "tbody tr", "Page 1 of 40"],
  [`/machines?q=${stamp}`, "tbody tr", "Page 1 of 4"],
  [`/alarms?q=${stamp}`, ".alarm", "Page 1 of 6"],
]) {
  test(`${path.split("?")[0]} shows one page at a time`, async (t) => {
    await page.goto(`${baseUrl}/app${path}`);
    await page.getByText(words, { exact: true }).waitFor();
    assert.equal(await page.locator(`main ${row}`).count(), 50);
    const { LayoutCount, TaskDuration } = await metrics();
    // What the page holds; the browser's own count has nodes in it that it has not collected yet.
    const elements = await page.evaluate(() => document.querySelectorAll("*").length);
    const first = await page.locator(`main ${row}`).first().innerText();
    const { bytes, paths } = await requestsDuring(async () => {
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

test("j moves down the list of 2,000 sensors, Enter opens one", async () => {
  await page.goto(`${baseUrl}/app/sensors?q=${stamp}-199`);
  await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 10);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const name = await page.evaluate(() => document.activeElement.querySelector("a").textContent);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name, level: 1 }).waitFor();
});

test("the overview sends few requests and is usable within seconds", async (t) => {
  const fresh = await open(browser, { state: await page.context().storageState() });
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

// Seconds that the processes of pages have computed, with all their threads.
async function computed() {
  const { processInfo } = await system.send("SystemInfo.getProcessInfo");
  return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

// What `during` costs the page: the share of one core in total, in its main thread and in scripts, and its requests.
async function load(during) {
  const [before, spent] = [await metrics(), await computed()];
  const begin = performance.now();
  const { count, bytes } = await requestsDuring(during);
  const seconds = (performance.now() - begin) / 1000;
  const now = await metrics();
  const whole = ((await computed()) - spent) / seconds;
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const share = (name) => percent((now[name] - before[name]) / seconds);
  const summary =
    `${percent(whole)} of one core, ${share("TaskDuration")} in the main thread, ${share("ScriptDuration")} in scripts; ` +
    `${count} requests, ${bytes} bytes in ${seconds.toFixed(1)} s`;
  return { whole, count, seconds, summary };
}

for (const path of ["/", "/sensors", "/alarms"]) {
  test(`${path} uses little processor time while 100 readings a second arrive`, async (t) => {
    await page.goto(`${baseUrl}/app${path}`);
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await settled(page);
    await stream(2);
    const { whole, count, seconds, summary } = await load(() => stream(8));
    t.diagnostic(summary);
    assert.ok(whole < 0.3, `${whole} of one core`);
    assert.ok(count < 10 * seconds, `${count} requests in ${seconds} s`);
  });
}

// The kinds of the events that the server streams until `received.end()`, with how many there were of each.
async function listen() {
  const { ticket } = await api(page, "/realtime/ticket", {});
  const over = new AbortController();
  const answer = await fetch(`${baseUrl}/api/ws/events/stream?token=${ticket}`, { signal: over.signal });
  const kinds = {};
  const read = (async () => {
    let rest = "";
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split("\n");
      rest = lines.pop();
      for (const line of lines.filter((line) => line.startsWith("data: "))) {
        const { type } = JSON.parse(line.slice(6));
        kinds[type] = (kinds[type] ?? 0) + 1;
      }
    }
  })().catch(() => {});
  return {
    kinds,
    async end() {
      over.abort();
      await read;
    },
  };
}

// 100 times a second for some seconds, a value crosses its limit or returns: one sensor of each machine in turn.
let crossings = 0;
async function cross(seconds) {
  for (let i = 0; i < seconds * 10; i++) {
    const begin = Date.now();
    const some = Array.from({ length: 10 }, () => crossings++);
    await Promise.all(some.map((n) => publish(machines[n % 200], { s0: Math.floor(n / 200) % 2 ? 1 : 20 })));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (Date.now() - begin))));
  }
}

test("200 sensors beyond their new limits raise an alarm each", async () => {
  const sensors = [];
  for (let offset = 0; offset < 2000; offset += 1000) {
    sensors.push(...(await api(page, `/sensors?limit=1000&offset=${offset}&search=${stamp}`)));
  }
  const first = sensors.filter((sensor) => sensor.name === "s0");
  assert.equal(first.length, 200);
  for (let i = 0; i < 200; i += 20) {
    const some = first.slice(i, i + 20);
    await Promise.all(some.map(({ id }) => api(page, `/sensors/${id}`, { warning_threshold: 10 }, "PATCH")));
  }
  await cross(2);
  await until(async () => (await total(page, "/alarms?limit=1&status=open&q=s0%20reported")) >= 200, "200 alarms", 60_000);
});

for (const path of ["/", "/alarms"]) {
  test(`${path} uses little processor time while 100 alarm events a second arrive`, async (t) => {
    await page.goto(`${baseUrl}/app${path}`);
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await settled(page);
    await cross(2);
    const received = await listen();
    const { whole, count, seconds, summary } = await load(() => cross(10));
    await received.end();
    const events = Object.values(received.kinds).reduce((sum, n) => sum + n, 0);
    t.diagnostic(`${summary}; ${(events / seconds).toFixed(0)} events a second: ${JSON.stringify(received.kinds)}`);
    assert.ok(received.kinds["alarm.updated"] > 500, "alarms change all the time");
    assert.ok(whole < 0.3, `${whole} of one core`);
    assert.ok(count < 10 * seconds, `${count} requests in ${seconds} s`);
  });
}

test("20 live charts on one page are drawn smoothly", async (t) => {
  const machine = `${stamp}-charts`;
  const values = () => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, Math.random() * 10]));
  const flow = async (seconds) => {
    for (let i = 0; i < seconds * 5; i++) {
      await publish(machine, values());
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await publish(machine, values());
  await until(async () => (await total(page, `/sensors?limit=1&search=${machine}`)) === 20, "20 sensors");
  const [{ id }] = await api(page, `/machines?limit=1&search=${machine}`);
  await page.goto(`${baseUrl}/app/machines/${id}`);
  await page.waitForFunction(() => document.querySelectorAll(".lane canvas").length === 20);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  await flow(2);
  const watched = page.evaluate(
    (milliseconds) =>
      new Promise((resolve) => {
        const [gaps, tasks, shown] = [[], [], new Set()];
        const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
        observer.observe({ type: "longtask" });
        let last = performance.now();
        const end = last + milliseconds;
        const frame = (now) => {
          gaps.push(now - last);
          last = now;
          shown.add(document.querySelector(".lane output").textContent);
          if (now < end) return requestAnimationFrame(frame);
          observer.disconnect();
          resolve({ gaps, tasks, values: shown.size });
        };
        requestAnimationFrame(frame);
      }),
    6_000,
  );
  const [{ gaps, tasks, values: seen }, { summary }] = await Promise.all([watched, load(() => flow(6))]);
  const longer = (limit) => gaps.filter((gap) => gap > limit).length;
  const longest = (list) => Math.round(Math.max(0, ...list));
  t.diagnostic(
    `${gaps.length} frames in 6 s, ${longer(20)} longer than 20 ms, ${longer(34)} than 34 ms, the longest ${longest(gaps)} ms; ` +
      `${tasks.length} tasks longer than 50 ms, the longest ${longest(tasks)} ms; ${summary}`,
  );
  assert.ok(seen > 10, `${seen} values were seen: the charts are live`);
  assert.ok(longest(tasks) < 200, `a task of ${longest(tasks)} ms`);
});

test("a hidden page sends no requests and closes its event stream", async () => {
  await page.goto(`${baseUrl}/app/`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await page.getByRole("button", { name: "Paused" }).waitFor();
  await settled(page);
  // longer than the pulse
  const { paths } = await requestsDuring(() => stream(12));
  assert.deepEqual(paths, []);
  await page.evaluate(() => {
    delete document.hidden;
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
});

test("there were no console errors or failed requests", () => assert.deepEqual(page.complaints, []));
