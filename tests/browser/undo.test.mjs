// Changes are undone by button and by key, and empty fields become empty again. No undo is offered where the workflow
// does not lead back.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { api, baseUrl, launch, login, open, until } from "./lib/browser.mjs";

const name = `mixer-${Date.now().toString(36)}`;
let browser, page, machine, sensor;

before(async () => {
  browser = await launch();
  page = await open(browser);
  await login(page);
  machine = await api(page, "/machines", { name, location: "Hall 3", criticality: "low" });
  sensor = await api(page, "/sensors", {
    machine_id: machine.id, name: "shaft", sensor_type: "wobble", warning_threshold: 70, min_threshold: 5,
  });
});
after(() => browser?.close());

const toast = (text) => page.locator(".toast").filter({ hasText: text });
const undo = (text) => toast(text).getByRole("button", { name: "Undo" });
// Waits until the fields of the resource at `path` are these.
const becomes = (path, fields) =>
  until(async () => {
    const now = await api(page, path);
    return Object.entries(fields).every(([key, value]) => JSON.stringify(now[key]) === JSON.stringify(value));
  }, `${path} becomes ${JSON.stringify(fields)}`);
const focused = () => page.evaluate(() => document.activeElement?.textContent.trim());

describe("a ticket", () => {
  const none = { status: "open", assignee: null, due_at: null, priority: "medium", resolution_notes: null };
  let path, drawer;
  before(async () => {
    const ticket = await api(page, "/tickets", { machine_id: machine.id, title: `Balance ${name}` });
    path = `/tickets/${ticket.id}`;
    drawer = page.getByRole("complementary", { name: "Ticket" });
    await page.goto(`${baseUrl}/app/tickets?q=${name}`);
    await page.locator(".card").getByRole("link").click();
    await drawer.getByRole("button", { name: "Save" }).waitFor();
  });

  test("undo restores its fields, empty ones too", async () => {
    await drawer.getByLabel("Assigned to").fill("engineer@example.com");
    await drawer.getByLabel("Due").fill("2031-02-03");
    await drawer.getByLabel("Priority").selectOption("High");
    await drawer.getByLabel("What was done").fill("Weights ordered");
    await drawer.getByRole("button", { name: "Save" }).click();
    await undo("Ticket saved.").waitFor();
    assert.equal(await focused(), "Save", "the message leaves the focus where it is");
    await becomes(path, {
      ...none, assignee: "engineer@example.com", due_at: "2031-02-03T00:00:00.000000Z", priority: "high",
      resolution_notes: "Weights ordered",
    });
    await undo("Ticket saved.").click();
    await toast("It is as it was before.").waitFor();
    await becomes(path, none);
    await until(async () => (await drawer.getByLabel("Assigned to").inputValue()) === "", "the form follows");
    assert.equal(await drawer.getByLabel("Due").inputValue(), "");
    assert.equal(await drawer.getByLabel("Priority").inputValue(), "medium");
    await drawer.getByText("not assigned", { exact: true }).waitFor();
  });

  test("an edit keeps the due hour, and undo restores the assignee", async () => {
    const due_at = "2031-02-03T14:30:00.000000Z";
    await patch(path, { due_at, assignee: "engineer@example.com" });
    await until(async () => (await drawer.getByLabel("Due").inputValue()) === "2031-02-03", "the form follows");
    await drawer.getByLabel("Assigned to").fill("");
    await drawer.getByRole("button", { name: "Save" }).click();
    await becomes(path, { ...none, due_at });
    await page.keyboard.press("u");
    await becomes(path, { ...none, due_at, assignee: "engineer@example.com" });
    await patch(path, none);
    await until(async () => (await drawer.getByLabel("Due").inputValue()) === "", "the form follows");
  });

  test("the key u undoes a change of state", async () => {
    await drawer.getByRole("button", { name: "Start" }).click();
    await becomes(path, { status: "in_progress" });
    await drawer.getByText("In progress", { exact: true }).waitFor();
    await page.keyboard.press("u");
    await becomes(path, none);
    await drawer.getByRole("button", { name: "Start" }).waitFor();
  });

  test("no undo is offered where the workflow does not lead back", async () => {
    await drawer.getByRole("button", { name: "Done" }).click();
    await becomes(path, { status: "resolved" });
    await page.keyboard.press("u");
    await becomes(path, none);
    await drawer.getByRole("button", { name: "Done" }).click();
    await drawer.getByRole("button", { name: "Close", exact: true }).last().waitFor();
    await page.keyboard.press("Escape");
    await page.goto(`${baseUrl}/app${path}`);
    await drawer.getByRole("button", { name: "Not done yet" }).waitFor();
    await drawer.locator("form").getByRole("button", { name: "Close", exact: true }).click();
    await toast("Ticket saved.").waitFor();
    assert.equal(await undo("Ticket saved.").count(), 0);
    await becomes(path, { status: "closed" });
  });
});

async function patch(path, body) {
  await page.evaluate(async ([path, body]) => {
    const headers = {
      authorization: `Bearer ${localStorage.getItem("access_token")}`,
      "content-type": "application/json",
    };
    const answer = await fetch(`/api${path}`, { method: "PATCH", headers, body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }, [path, JSON.stringify(body)]);
}

test("undo restores a machine, and the page shows it", async () => {
  await page.goto(`${baseUrl}/app/machines/${machine.id}`);
  await page.getByRole("button", { name: "Edit" }).click();
  const form = page.getByRole("dialog", { name: "Machine" });
  await form.getByLabel("Name").fill(`${name}-new`);
  await form.getByLabel("Place").fill("");
  await form.getByLabel("Criticality").selectOption("high");
  await form.getByLabel("Last service").fill("2026-01-02");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: `${name}-new`, level: 1 }).waitFor();
  await becomes(`/machines/${machine.id}`, { location: null, criticality: "high", last_service_date: "2026-01-02" });
  await undo(`${name}-new saved.`).click();
  await page.getByText("Hall 3").first().waitFor();
  await page.getByRole("heading", { level: 1 }).filter({ hasText: name, hasNotText: "-new" }).waitFor();
  await becomes(`/machines/${machine.id}`, {
    name, location: "Hall 3", criticality: "low", last_service_date: null,
  });
});

test("undo restores a sensor's limits", async () => {
  await page.goto(`${baseUrl}/app/sensors/${sensor.id}`);
  await page.getByText("≥ 70").first().waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  const form = page.getByRole("dialog", { name: "Sensor" });
  await form.getByLabel("Unit").fill("mm");
  await form.getByLabel("Warning at or above").fill("75");
  await form.getByLabel("Critical at or above").fill("90");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText("≥ 90").first().waitFor();
  await becomes(`/sensors/${sensor.id}`, { min_threshold: null, warning_low: 5, critical_threshold: 90, unit: "mm" });
  await undo("shaft saved.").focus();
  await page.keyboard.press("Enter");
  await page.getByText("≥ 70").first().waitFor();
  await becomes(`/sensors/${sensor.id}`, {
    min_threshold: 5, warning_low: null, warning_threshold: 70, critical_threshold: null, unit: null,
  });
});

test("undo restores a setting's value or its default", async () => {
  const key = "reports.keep_days";
  const was = await api(page, `/settings/${key}`);
  await page.goto(`${baseUrl}/app/settings`);
  const entry = page.getByRole("listitem").filter({ hasText: key });
  const form = page.getByRole("dialog", { name: "Setting" });
  const change = async (value) => {
    await entry.getByRole("button").click();
    await form.getByLabel("Value").fill(value);
    await form.getByRole("button", { name: "Save" }).click();
    await entry.getByText(value, { exact: true }).waitFor();
  };
  await change("41");
  await change("43");
  await undo(`${key} saved.`).last().click();
  await entry.getByText("41", { exact: true }).waitFor();
  await becomes(`/settings/${key}`, { value: "41" });
  await undo(`${key} saved.`).click();
  await entry.getByText(was.default_value, { exact: true }).waitFor();
  await becomes(`/settings/${key}`, { value: was.default_value });
});

test("a message disappears by itself unless it has the focus", async () => {
  const state = await page.context().storageState();
  const timed = await open(browser, { state });
  await timed.clock.install();
  await timed.goto(`${baseUrl}/app/machines/${machine.id}`);
  await timed.getByRole("button", { name: "Edit" }).click();
  const form = timed.getByRole("dialog", { name: "Machine" });
  await form.getByLabel("Place").fill("Hall 4");
  await form.getByRole("button", { name: "Save" }).click();
  const button = timed.locator(".toast").getByRole("button", { name: "Undo" });
  await button.focus();
  await timed.clock.runFor(30_000);
  assert.equal(await button.count(), 1);
  await timed.getByRole("button", { name: "Edit" }).focus();
  await timed.clock.runFor(5_000);
  assert.equal(await button.count(), 0);
  assert.deepEqual(timed.complaints, []);
  await timed.context().close();
});

test("there were no console errors or failed requests", () => assert.deepEqual(page.complaints, []));
