// A rule is tried on what a sensor has shown: sliders move, the alarms follow, a limit is suggested and applied.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, baseUrl, launch, login, open, roles } from "./lib/browser.mjs";

let browser, page, sensor;

const panel = () => page.locator(".panel.trial");
const wouldRaise = (count) => panel().locator(".would-raise").getByText(count, { exact: true }).waitFor();
const slider = (label) => panel().getByLabel(label, { exact: true });
const move = (label, value) =>
  slider(label).evaluate((input, to) => {
    input.value = String(to);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
const settled = () => panel().locator("[aria-busy]").waitFor({ state: "detached" });

before(async () => {
  browser = await launch();
  page = await open(browser);
  await login(page, roles.engineer);
  const machine = await api(page, "/machines", { name: "kiln" });
  const limited = { sensor_type: "temperature", unit: "°C", warning_threshold: 80 };
  sensor = await api(page, "/sensors", { machine_id: machine.id, name: "shell", ...limited });
  // ten hours ago until now: 50 and, five times, one reading of 85
  const begin = Date.now() - 10 * 3600e3;
  for (let i = 0; i < 60; i += 1) {
    const timestamp = new Date(begin + i * 600e3).toISOString();
    await api(page, "/sensor-data", { sensor_id: sensor.id, value: i % 12 === 6 ? 85 : 50, timestamp });
  }
  await page.goto(`${baseUrl}/app/sensors/${sensor.id}`);
});
after(async () => browser?.close());

test("the rule that counts is tried on the last 30 days at first", async () => {
  await panel().getByRole("heading", { name: "Try on history" }).waitFor();
  await wouldRaise("5");
  assert.equal(await panel().locator(".strip-of-alarms").first().locator("i").count(), 5);
  assert.equal(await panel().getByRole("button", { name: "Apply" }).isDisabled(), true);
});

test("the alarms follow the sliders, and the answer belongs to the newest question", async () => {
  for (const value of [84, 86, 88]) await move("Warning at or above", value);
  await wouldRaise("0");
  await settled();
  await move("Warning at or above", 84);
  await wouldRaise("5");
  // an excursion lasts for ten minutes
  await move("On-delay", 600);
  await wouldRaise("0");
  await move("On-delay", 595);
  await wouldRaise("5");
  await panel().getByRole("button", { name: "Reset" }).click();
  await settled();
  assert.equal(await slider("Warning at or above").inputValue(), "80");
  assert.equal(await slider("On-delay").inputValue(), "0");
});

test("a limit is suggested for a wanted number, and applied by one click", async () => {
  await panel().getByLabel("Alarms a month").fill("0");
  await panel().getByRole("button", { name: "Suggest" }).click();
  await panel().getByText(/Warning at or above .* 0 alarms\./).waitFor();
  await wouldRaise("0");
  await settled();
  await panel().getByRole("button", { name: "Apply" }).click();
  await page.getByText("Applied.").waitFor();
  const trial = await api(page, `/backtests/sensors/${sensor.id}`);
  assert.equal(trial.would_raise, 0);
  const changed = await api(page, `/sensors/${sensor.id}`);
  const rule = await api(page, `/sensors/${sensor.id}/alarm-rule`);
  assert.ok(changed.warning_threshold !== 80 || rule.on_delay_s > 0, JSON.stringify([changed, rule]));
  // what counts now is where the sliders begin
  await wouldRaise("0");
  assert.equal(await panel().getByRole("button", { name: "Apply" }).isDisabled(), true);
});

test("who may not change rules is not offered the panel", async () => {
  const viewing = await open(browser);
  await login(viewing, roles.viewer);
  await viewing.goto(`${baseUrl}/app/sensors/${sensor.id}`);
  await viewing.getByRole("heading", { name: "Alarm rule" }).waitFor();
  assert.equal(await viewing.locator(".panel.trial").count(), 0);
});
