// By keyboard alone: lists by j, k and Enter, an alarm from signing in to its resolution, and messages that are read
// out but take no focus.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, baseUrl, connect, launch, login, open, roles, sensorsOf, settled, until } from "./lib/browser.mjs";

const stamp = `keys-${Date.now().toString(36)}`;
const machines = ["a", "b", "c"].map((end) => `${stamp}-${end}`);
const [machine] = machines;
let browser, page, plant, ids;

before(async () => {
  browser = await launch();
  plant = await connect();
  page = await open(browser);
  await login(page, roles.engineer);
  ids = (await api(page, "/machines/bulk", machines.map((name) => ({ name })))).map(({ id }) => id);
  for (const severity of ["critical", "warning", "info"]) {
    await api(page, "/alarms", { machine_id: ids[1], severity, message: `${stamp}: a ${severity} noise` });
    await api(page, "/tickets", { machine_id: ids[1], title: `${stamp}: look for a ${severity} noise` });
  }
  const begin = Date.now() - 100_000;
  for (const sensor_id of ["gear", "motor", "pump"]) {
    await plant.publish(
      machine,
      Array.from({ length: 40 }, (_, i) => (
        { sensor_id, value: 20 + (i % 7), unit: "bar", timestamp: new Date(begin + i * 2_000).toISOString() }
      )),
    );
  }
  const scored = async () => (await api(page, `/predictions?limit=10&machine_id=${ids[0]}`)).length >= 3;
  await until(scored, "three predictions", 30_000);
});
after(async () => {
  await plant?.end();
  await browser?.close();
});

const press = (...keys) => keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve());
// Where the links of all rows lead, and that of the row with the focus.
const rows = () =>
  page.evaluate(() => {
    const link = (row) => row?.querySelector("a").getAttribute("href");
    const focused = document.activeElement;
    return {
      links: [...document.querySelectorAll("main [data-row]")].map(link),
      here: focused.matches("[data-row]") ? link(focused) : null,
    };
  });

for (const [name, path] of [
  ["machines", `/machines?q=${stamp}`],
  ["sensors", `/sensors?q=${machine}`],
  ["alarms", `/alarms?q=${stamp}`],
  ["tickets on the board", "/tickets"],
  ["tickets as a list", "/tickets?view=list"],
  ["predictions", () => `/predictions?machine=${ids[0]}`],
]) {
  test(`${name}: j and k go through the list, Enter opens`, async () => {
    await page.goto(`${baseUrl}/app${typeof path === "string" ? path : path()}`);
    await settled(page);
    await page.waitForFunction(() => document.querySelectorAll("main [data-row]").length >= 3);
    await press("j");
    const { links, here } = await rows();
    assert.equal(here, links[0], "j takes the first row");
    await press("j", "j");
    assert.equal((await rows()).here, links[2], "then the next ones");
    await press("k");
    assert.equal((await rows()).here, links[1], "k goes back");
    await press("Enter");
    await page.waitForURL((url) => url.pathname === new URL(links[1], baseUrl).pathname);
    // After a drawer is closed, its list is unchanged and the row has the focus again.
    const drawer = page.locator(".drawer");
    if (!["machines", "sensors"].includes(name)) {
      await drawer.waitFor();
      await page.waitForFunction(() => document.activeElement.closest(".drawer"));
      await press("Escape");
      await drawer.waitFor({ state: "detached" });
    }
    if (name === "alarms") {
      assert.equal((await rows()).here, links[1], "the row has the focus again");
      assert.equal(new URL(page.url()).search, `?q=${stamp}`, "the filter is still there");
    }
  });
}

test("alarms are acknowledged one after the other with a and j", async () => {
  await page.goto(`${baseUrl}/app/alarms?q=${stamp}`);
  await settled(page);
  const left = () => page.locator("main .alarm.open").count();
  for (let i = 0; i < 3; i++) {
    await until(async () => {
      if ((await left()) === 2 - i) return true;
      // an event may draw a row again while it has the focus
      const focused = await page.evaluate(() => document.activeElement.matches(".alarm.open"));
      await press(focused ? "a" : "j");
    }, "one is acknowledged");
  }
});

// Presses Tab until `wanted` has the focus.
async function tabTo(wanted) {
  await wanted.waitFor();
  for (let i = 0; i < 80; i++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${wanted}`);
}

test("an alarm is found, acknowledged and resolved by keyboard alone", async () => {
  const [sensor] = await sensorsOf(page, machine);
  await api(page, `/sensors/${sensor.id}`, { critical_threshold: 90 }, "PATCH");
  await plant.publish(machine, { sensor_id: sensor.name, value: 95.5, unit: "bar" });
  const raised = () => api(page, `/alarms?sensor_id=${sensor.id}&status=open`);
  const [alarm] = await until(async () => {
    const found = await raised();
    return found.length > 0 && found;
  }, "the alarm is raised");
  await page.context().close();
  page = await open(browser);

  await page.goto(`${baseUrl}/app/`);
  await tabTo(page.getByLabel("Mail address"));
  await page.keyboard.type(roles.engineer.email);
  await press("Tab");
  await page.keyboard.type(roles.engineer.password);
  await press("Enter");
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  await press("Control+k");
  await page.getByRole("searchbox", { name: "Page, machine or sensor" }).waitFor();
  await page.keyboard.type(machine);
  await page.getByRole("dialog").getByText(machine).first().waitFor();
  await press("Enter");
  await page.getByRole("heading", { name: machine, level: 1 }).waitFor();

  await press("g", "a");
  await page.getByRole("heading", { name: "Alarms", level: 1 }).waitFor();
  await settled(page);
  await until(async () => {
    await press("j");
    return (await rows()).here?.startsWith(`/app/alarms/${alarm.id}`);
  }, "j leads to the alarm");
  await press("Enter");
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  await tabTo(drawer.getByRole("button", { name: "Acknowledge" }));
  await press("Enter");
  await drawer.getByText("Acknowledged").first().waitFor();
  const notes = drawer.getByLabel("What was found and done");
  await tabTo(notes);
  await page.keyboard.type("Seal renewed.");

  // The value becomes normal again: the typed text and the focus stay.
  await plant.publish(machine, { sensor_id: sensor.name, value: 21, unit: "bar" });
  await drawer.getByText("Back to normal").waitFor();
  assert.equal(await notes.inputValue(), "Seal renewed.");
  assert.ok(await notes.evaluate((element) => element === document.activeElement), "the focus stays");

  await tabTo(drawer.getByLabel("Cause"));
  await page.keyboard.type("True");
  await tabTo(drawer.getByRole("button", { name: "Resolve" }));
  await press("Enter");
  await page.getByText("Alarm resolved.").waitFor();
  await press("Escape");
  await drawer.waitFor({ state: "detached" });
  const closed = await api(page, `/alarms/${alarm.id}`);
  assert.deepEqual(
    [closed.status, closed.verdict, closed.resolution_notes],
    ["resolved", "true_fault", "Seal renewed."],
  );
  assert.deepEqual(page.complaints, []);
});

test("a message is read out and takes no focus", async () => {
  await page.goto(`${baseUrl}/app/profile`);
  const save = page.getByRole("button", { name: "Save" });
  await save.waitFor();
  await settled(page);
  // The region must be there before its text, or nothing is read out.
  const region = await page.locator(".toasts").elementHandle();
  assert.deepEqual(
    await region.evaluate((element) => [element.getAttribute("role"), element.ariaLive, element.textContent]),
    ["status", "polite", ""],
  );
  await save.focus();
  await press("Enter");
  await page.waitForFunction((region) => region.textContent.includes("Saved."), region);
  assert.ok(await save.evaluate((element) => element === document.activeElement), "the focus stays where it was");
  await press("Tab");
  assert.ok(await page.evaluate(() => !document.activeElement.closest(".toasts")), "nor does Tab lead to it at once");
});
