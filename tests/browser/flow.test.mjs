// What a person does in the first five minutes, in the order of a real day: sign in, see a reading arrive, see it
// alarm, acknowledge, resolve.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, baseUrl, connect, email, launch, login, open, password, sensorsOf, until } from "./lib/browser.mjs";

const machine = `press-${Date.now().toString(36)}`;
let browser, page, plant;

before(async () => {
  browser = await launch();
  page = await open(browser);
  plant = await connect();
});
after(async () => {
  await plant?.end();
  await browser?.close();
});

const publish = (value) => plant.publish(machine, { sensor_id: "temp", value, unit: "°C", metric: "temperature" });

test("a wrong password is refused and the typed address stays", async () => {
  await page.goto(`${baseUrl}/app/alarms`);
  await page.getByLabel("Mail address").fill(email);
  await page.getByLabel("Password").fill(`${password}-wrong`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Mail address or password is wrong.").waitFor();
  assert.equal(await page.getByLabel("Mail address").inputValue(), email);
  // The browser itself reports the refused request on the console.
  page.complaints.length = 0;
});

test("signing in leads to the page in the address", async () => {
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Alarms", level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/app/alarms");
});

test("the page shows that the event stream is connected", async () => {
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
});

test("a published reading appears without reload", async () => {
  await page.getByRole("link", { name: "Sensors" }).first().click();
  await page.getByRole("heading", { name: "Sensors", level: 1 }).waitFor();
  await page.getByRole("searchbox", { name: "Sensor, machine or kind" }).fill(machine);
  await publish(41.25);
  const row = page.getByRole("row").filter({ hasText: machine });
  await row.getByText("41.25").waitFor();
  await publish(42.5);
  await row.getByText("42.50").waitFor({ timeout: 3_000 });
});

test("a reading beyond its limit raises an alarm that appears without reload", async () => {
  const sensor = await until(async () => (await sensorsOf(page, machine))[0], "the sensor is registered");
  await api(page, `/sensors/${sensor.id}`, { warning_threshold: 70, critical_threshold: 90 }, "PATCH");
  await page.getByRole("link", { name: "Alarms" }).first().click();
  await page.getByRole("heading", { name: "Alarms", level: 1 }).waitFor();
  await until(async () => {
    await publish(93.5);
    return page.locator("main .alarm").filter({ hasText: machine }).first().isVisible();
  }, "the alarm shows");
});

test("the alarm is acknowledged by keyboard and resolved with a note", async () => {
  const row = page.locator("main .alarm").filter({ hasText: machine }).first();
  await row.focus();
  await page.keyboard.press("a");
  await row.getByText("Acknowledged").waitFor();
  await until(async () => (await api(page, "/alarms?status=acknowledged&limit=200")).length > 0, "the server knows");
  await row.getByRole("link").first().click();
  await page.getByRole("complementary", { name: "Alarm" }).waitFor();
  await page.getByLabel("What was found and done").fill("Cooling water valve was shut.");
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  await page.getByText("Alarm resolved.").waitFor();
  const resolved = await api(page, "/alarms?status=resolved&limit=200");
  assert.ok(resolved.some((alarm) => alarm.resolution_notes === "Cooling water valve was shut."));
});

test("the page shows the loss of the server and recovers by itself", async () => {
  await page.goto(`${baseUrl}/app/`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  await page.context().setOffline(true);
  await page.evaluate(() => document.querySelector(".connection").click());
  await page.getByText("No connection to the server.").waitFor({ timeout: 20_000 });
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor({ timeout: 20_000 });
  page.complaints.length = 0;
});

test("the palette finds a machine by its name", async () => {
  await page.keyboard.press("Control+k");
  await page.getByRole("searchbox", { name: "Page, machine or sensor" }).fill(machine);
  await page.getByRole("dialog").getByText(machine).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: machine, level: 1 }).waitFor();
});

test("the first load is small, without console errors or failed requests", async () => {
  const fresh = await open(browser);
  await login(fresh);
  const bytes = await fresh.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.name.includes("/app/assets/"))
      .reduce((sum, entry) => sum + entry.transferSize, 0),
  );
  assert.ok(bytes > 10_000 && bytes < 500_000, `${bytes} bytes over the wire`);
  assert.deepEqual(fresh.complaints, []);
  assert.deepEqual(page.complaints, []);
  await fresh.context().close();
});
