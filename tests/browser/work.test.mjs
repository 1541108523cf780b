// An engineer's work from end to end: a machine is created, sends readings, raises an alarm, and is worked on until the
// ticket is closed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { api, baseUrl, connect, download, launch, login, open, output, roles, sensorsOf, until } from "./lib/browser.mjs";

const machine = `lathe-${Date.now().toString(36)}`;
let browser, page, plant, sensor;

before(async () => {
  browser = await launch();
  page = await open(browser);
  plant = await connect();
  await login(page, roles.engineer);
});
after(async () => {
  await plant?.end();
  await browser?.close();
});

const publish = (value) => plant.publish(machine, { sensor_id: "spindle", value, unit: "°C", metric: "temperature" });
const sensors = () => sensorsOf(page, machine);

test("a machine is created in the form, and its page and the list show what it is", async () => {
  await page.goto(`${baseUrl}/app/machines`);
  await page.getByRole("button", { name: "Add machine" }).click();
  const form = page.getByRole("dialog", { name: "New machine" });
  await form.getByLabel("Name").fill(machine);
  await form.getByLabel("Place").fill("Hall 7");
  await form.getByLabel("Class").fill("centrifugal pump");
  await form.getByLabel("Criticality").selectOption("high");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: machine, level: 1 }).waitFor();
  await page.getByText("Hall 7").first().waitFor();
  await page.locator(".fact").filter({ hasText: "centrifugal pump" }).waitFor();
  await page.goto(`${baseUrl}/app/machines?q=${machine}`);
  const row = page.getByRole("row").filter({ hasText: machine });
  await row.filter({ hasText: "centrifugal pump" }).filter({ hasText: "High" }).waitFor();
  await row.getByRole("link").click();
  await page.getByRole("heading", { name: machine, level: 1 }).waitFor();
});

test("a value published over MQTT appears live on the machine's page", async () => {
  await publish(41.25);
  await page.locator(".lane output").getByText("41.25").waitFor();
  await publish(42.5);
  await page.locator(".lane output").getByText("42.50").waitFor();
  [sensor] = await sensors();
});

test("the machine's page shows what is expected of a sensor, and starts its learning anew", async () => {
  const panel = page.locator(".panel").filter({ hasText: "Expected and measured" });
  const row = panel.getByRole("row").filter({ hasText: "spindle" });
  await row.waitFor();
  await row.getByRole("button", { name: "Sensor replaced" }).click();
  await row.getByRole("button", { name: "Learn it anew" }).click();
  await page.getByText("Learning begins anew with the next reading.").waitFor();
  await row.getByText("Learning begins with the next reading").waitFor();
  const [reference] = await api(page, `/machines/${sensor.machine_id}/references`);
  assert.equal(reference.restart.reason, "sensor_replaced");
});

test("the limits of a sensor are set in the form", async () => {
  await page.locator(".lane-head a").first().click();
  await page.getByRole("heading", { name: "spindle", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  const form = page.getByRole("dialog", { name: "Sensor" });
  await form.getByLabel("Critical at or above").fill("90");
  await form.getByLabel("Warning at or above").fill("80");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText("≥ 90").first().waitFor();
  const [changed] = await sensors();
  assert.deepEqual([changed.warning_threshold, changed.critical_threshold], [80, 90]);
});

test("contradicting limits are refused, and the typed values stay", async () => {
  await page.getByRole("button", { name: "Edit" }).click();
  const form = page.getByRole("dialog", { name: "Sensor" });
  await form.getByLabel("Warning at or below").fill("85");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").getByText("warning_low").waitFor();
  assert.equal(await form.getByLabel("Warning at or below").inputValue(), "85");
  await form.getByRole("button", { name: "Cancel" }).click();
  // The browser itself reports the refused request on the console.
  page.complaints.length = 0;
});

test("the history shows intervals, a chosen range, and the share of each status", async () => {
  for (const interval of ["6h", "24h", "7d", "30d"]) {
    const answer = page.waitForResponse((r) => r.url().includes(`trend?interval=${interval}`));
    await page.getByRole("button", { name: interval, exact: true }).click();
    assert.equal((await answer).status(), 200, interval);
  }
  await page.getByText("From, to").click();
  const local = (at) => new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const now = Date.now();
  await page.getByLabel("From", { exact: true }).fill(local(new Date(now - 3_600_000)));
  await page.getByLabel("To", { exact: true }).fill(local(new Date(now + 60_000)));
  const asked = page.waitForResponse((r) => r.url().includes("/trend?") && r.url().includes("start="));
  await page.getByRole("button", { name: "Show" }).click();
  const trend = await (await asked).json();
  assert.equal(trend.interval, "custom");
  assert.ok(trend.points.length >= 2);
  await page.locator(".shares").getByText("Normal").waitFor();
});

test("a value beyond the limit raises an alarm", async () => {
  await publish(97.5);
  await page.goto(`${baseUrl}/app/alarms?q=spindle`);
  await page.locator("main .alarm").filter({ hasText: machine }).first().waitFor();
});

test("selected alarms are acknowledged together", async () => {
  const row = page.locator("main .alarm").filter({ hasText: machine });
  await row.first().getByRole("checkbox").check();
  await page.locator(".bulk").getByRole("button", { name: "Acknowledge", exact: true }).click();
  await row.first().getByText("Acknowledged").waitFor();
  await page.getByText("acknowledged.").waitFor();
  const [alarm] = await api(page, `/alarms?sensor_id=${sensor.id}&status=acknowledged`);
  assert.ok(alarm.acknowledged_at);
});

test("the alarm's ticket is assigned with a due date, and listed as mine", async () => {
  await page.goto(`${baseUrl}/app/tickets?view=list`);
  await page.getByRole("row").filter({ hasText: machine }).getByRole("link").first().click();
  const drawer = page.getByRole("complementary", { name: "Ticket" });
  await drawer.getByRole("heading", { name: "Its alarms" }).waitFor();
  await drawer.getByRole("button", { name: "Resolve the alarm" }).waitFor();
  await drawer.getByLabel("Assigned to").fill("engineer@example.com");
  await drawer.getByLabel("Due").fill("2030-01-02");
  await drawer.getByRole("button", { name: "Save" }).click();
  await page.getByText("Ticket saved.").waitFor();
  const [ticket] = await api(page, `/tickets?machine_id=${sensor.machine_id}`);
  assert.equal(ticket.assignee, "engineer@example.com");
  assert.ok(ticket.due_at.startsWith("2030-01-02"));
  await page.keyboard.press("Escape");
  await page.goto(`${baseUrl}/app/tickets?mine=1`);
  await page.locator(".card").filter({ hasText: machine }).waitFor();
});

test("the alarm tells what its rule says is to be done", async () => {
  const [alarm] = await api(page, `/alarms?sensor_id=${sensor.id}&limit=1`);
  const link = "https://wiki.example/bearing";
  await api(page, "/alarm-rules", { sensor_id: sensor.id, response: "Grease the bearing", link });
  await page.goto(`${baseUrl}/app/alarms/${alarm.id}`);
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  await drawer.getByText("Grease the bearing").waitFor();
  assert.equal(await drawer.getByRole("link", { name: link }).getAttribute("href"), link);
});

test("a comment and a file are added to the alarm, and the file is downloaded unchanged", async () => {
  const [alarm] = await api(page, `/alarms?sensor_id=${sensor.id}&limit=1`);
  await page.goto(`${baseUrl}/app/alarms/${alarm.id}`);
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  await drawer.getByPlaceholder("Write a comment").fill("Bearing is hot; see the photo.");
  await drawer.getByRole("button", { name: "Comment" }).click();
  await drawer.locator(".comment-text").getByText("Bearing is hot").waitFor();
  const photo = `${output}photo.png`;
  await page.screenshot({ path: photo });
  await drawer.locator("input[type=file]").setInputFiles(photo);
  await drawer.getByRole("button", { name: "photo.png", exact: true }).waitFor();
  const copy = await download(page, () => drawer.getByRole("button", { name: "photo.png", exact: true }).click());
  assert.deepEqual(copy.bytes, await readFile(photo));
});

test("typed text stays when the session ends", async () => {
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  await drawer.getByLabel("What was found and done").fill("Bearing greased.");
  await page.evaluate(() => {
    localStorage.setItem("access_token", "gone");
    localStorage.setItem("refresh_token", "gone");
  });
  await drawer.getByRole("button", { name: "Resolve", exact: true }).click();
  const form = page.getByRole("dialog");
  await form.getByText("what you typed is still there").waitFor();
  assert.equal(await form.getByLabel("Mail address").inputValue(), "engineer@example.com");
  await form.getByLabel("Password").fill("engineer123");
  await form.getByRole("button", { name: "Sign in" }).click();
  await form.waitFor({ state: "detached" });
  assert.equal(await drawer.getByLabel("What was found and done").inputValue(), "Bearing greased.");
  page.complaints.length = 0;
});

test("the alarm is resolved with a verdict, and its ticket with it", async () => {
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  await drawer.getByLabel("Cause").selectOption("true_fault");
  await drawer.getByRole("button", { name: "Resolve", exact: true }).click();
  await page.getByText("Alarm resolved.").waitFor();
  const [alarm] = await api(page, `/alarms?sensor_id=${sensor.id}&status=resolved`);
  assert.deepEqual([alarm.verdict, alarm.resolution_notes], ["true_fault", "Bearing greased."]);
  const [ticket] = await api(page, `/tickets?machine_id=${sensor.machine_id}`);
  assert.equal(ticket.status, "resolved");
});

// The reports page's form, filled in for the machine.
async function makeReport(format, title) {
  await page.goto(`${baseUrl}/app/reports`);
  await page.getByRole("button", { name: "New report" }).click();
  const form = page.getByRole("dialog", { name: "New report" });
  await form.getByLabel("Format").selectOption(format);
  await form.getByLabel("Machine").selectOption({ label: machine });
  await form.getByLabel("Title").fill(title);
  await form.getByRole("button", { name: "Make it" }).click();
  await page.getByText("The report is made.").waitFor();
}

test("a PDF report on the alarm opens in the page, and its text describes the alarm", async () => {
  await makeReport("pdf", `Case of ${machine}`);
  const preview = page.getByRole("dialog", { name: "Report" });
  const shown = await (await preview.locator("iframe").elementHandle()).contentFrame();
  await shown.waitForURL(/^blob:/);
  await until(() => shown.evaluate(() => document.contentType === "application/pdf"), "the preview shows a document");
  const { name, bytes } = await download(page, () => preview.getByRole("button", { name: "Download" }).click());
  assert.match(name, /\.pdf$/);
  assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
  await writeFile(`${output}${machine}.pdf`, bytes);
  const { stdout } = await promisify(execFile)("pdftotext", [`${output}${machine}.pdf`, "-"]);
  const words = stdout.replace(/\s+/g, " ");
  for (const expected of [`Case of ${machine}`, "spindle", "97.5", "Bearing greased."]) {
    assert.ok(words.includes(expected), `«${expected}» is not in the document: ${words}`);
  }
});

test("the readings are downloaded as CSV", async () => {
  await makeReport("csv", `Readings of ${machine}`);
  const row = page.getByRole("row").filter({ hasText: `Readings of ${machine}` });
  const { name, bytes } = await download(page, () => row.getByRole("button", { name: "Download" }).click());
  assert.match(name, /\.csv$/);
  const [heads, ...lines] = bytes.toString().replace(/^\ufeff/, "").trim().split("\r\n").map((line) => line.split(","));
  const found = lines.map((line) => Object.fromEntries(heads.map((head, i) => [head, line[i]])));
  const reading = (value, status) => ({ machine_id: sensor.machine_id, sensor_id: sensor.id, value, status });
  assert.deepEqual(
    found.map(({ timestamp, ...rest }) => rest),
    [reading("41.25", "normal"), reading("42.5", "normal"), reading("97.5", "critical")],
  );
});

test("the machine's page shows its history", async () => {
  await page.goto(`${baseUrl}/app/machines/${sensor.machine_id}`);
  const history = page.locator("section").filter({ has: page.getByRole("heading", { name: "History" }) });
  for (const what of ["Alarm", "Acknowledged", "Resolved", "Ticket"]) {
    await history.getByText(what, { exact: true }).first().waitFor();
  }
});

test("a sensor is created and deleted in the forms", async () => {
  await page.getByRole("button", { name: "Add sensor" }).click();
  const form = page.getByRole("dialog", { name: "New sensor" });
  await form.getByLabel("Name").fill("by-hand");
  await form.getByLabel("Kind").fill("pressure");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "by-hand", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it and all its readings" }).click();
  await page.getByRole("heading", { name: machine, level: 1 }).waitFor();
  await until(async () => !(await sensors()).some((s) => s.name === "by-hand"), "the sensor is gone");
});

test("the first-run page shows that a reading arrived", async () => {
  await page.goto(`${baseUrl}/app/start`);
  await page.getByText("Waiting for the first reading").waitFor();
  const command = await page.locator(".code code").innerText();
  const topic = /-t (\S+)/.exec(command)[1];
  const payload = /-m '(.+)'/.exec(command)[1];
  // The command on the page is run, repeatedly as a person would.
  await until(async () => {
    await plant.send(topic, payload);
    return page.getByText("It arrived").isVisible();
  }, "the reading arrives");
});

test("an alarm shows what was found when the same was raised before", async () => {
  const raised = { machine_id: sensor.machine_id, sensor_id: sensor.id, severity: "warning", message: "Noise" };
  const before = await api(page, "/alarms", { ...raised, triggered_at: "2026-01-02T03:04:05Z" });
  await api(page, `/alarms/${before.id}/resolve`, { resolution_notes: "Belt was loose.", verdict: "true_fault" });
  const now = await api(page, "/alarms", raised);
  await page.goto(`${baseUrl}/app/alarms/${now.id}`);
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  const similar = drawer.locator("section").filter({ has: page.getByRole("heading", { name: "Similar alarms before" }) });
  await similar.getByText("Belt was loose.").waitFor();
  await similar.getByRole("link", { name: "True fault" }).click();
  await page.waitForURL(`**/app/alarms/${before.id}*`);
  await drawer.getByText("Belt was loose.").first().waitFor();
});

test("there were no console errors or failed requests", () => assert.deepEqual(page.complaints, []));
