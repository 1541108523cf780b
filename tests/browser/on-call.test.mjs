// On call: a schedule, an override, a chain and a channel are made in the page; the roles see what they may.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { baseUrl, inspect, launch, open, roles, signedIn } from "./lib/browser.mjs";

const stamp = Date.now().toString(36);
const states = {};
let browser;

before(async () => {
  browser = await launch();
  for (const [role, who] of Object.entries(roles)) states[role] = await signedIn(browser, who);
});
after(async () => await browser?.close());

async function as(role, steps) {
  const page = await open(browser, { state: states[role] });
  await page.goto(`${baseUrl}/app/on-call`);
  await page.getByRole("heading", { name: "On call", exact: true }).waitFor();
  await steps(page);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

const panel = (page, name) =>
  page.locator("section.panel").filter({ has: page.getByRole("heading", { name, exact: true }) });

test("engineer: makes a schedule, has somebody stand in, and a chain that names it", async () => {
  await as("engineer", async (page) => {
    await page.getByRole("button", { name: "Add schedule" }).click();
    const form = page.getByRole("dialog", { name: "On-call schedule" });
    await form.getByLabel("Name").fill(`Night ${stamp}`);
    const people = form.getByLabel("Add a person");
    const names = await people.locator("option").allTextContents();
    assert.ok(names.length > 3, `people to choose from: ${names}`);
    await people.selectOption({ index: 1 });
    await form.getByRole("listitem").first().waitFor();
    await people.selectOption({ index: 2 });
    await form.getByLabel("First person takes over on").fill("2026-01-05");
    await form.getByRole("button", { name: "Save" }).click();
    const schedule = panel(page, `Night ${stamp}`);
    await schedule.getByText("On call now:").waitFor();
    await schedule.getByText("The next two weeks").waitFor();
    assert.ok((await schedule.locator("ul.pairs li").count()) >= 2, "shifts of two weeks");

    await schedule.getByRole("button", { name: "Add override" }).click();
    await form.getByLabel("Who").selectOption({ index: 3 });
    await form.getByLabel("From").fill("2026-01-01T00:00");
    await form.getByLabel("To", { exact: true }).fill("2026-01-02T00:00");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });

    await page.getByRole("button", { name: "Add chain" }).click();
    const chain = page.getByRole("dialog", { name: "Escalation chain" });
    await chain.getByLabel("Name").fill(`Plant ${stamp}`);
    await chain.getByRole("button", { name: "Save" }).click();
    await chain.getByLabel("Notify").selectOption({ label: `On call: Night ${stamp}` });
    // put in use by hand only: other tests raise alarms
    await chain.getByLabel("In use").setChecked(false);
    await chain.getByRole("button", { name: "Save" }).click();
    const made = panel(page, `Plant ${stamp}`);
    await made.getByText(`On call by Night ${stamp}`).waitFor();
    await made.getByText("at once").waitFor();
    await inspect(page, "on-call");

    // a schedule that a step names stays
    await schedule.getByRole("button", { name: "Delete" }).click();
    await schedule.getByRole("button", { name: "Really delete" }).click();
    await page.getByText("A step of an escalation chain names it").waitFor();
    page.complaints.length = 0;
  });
});

test("admin: adds a notice channel, whose key is not shown", async () => {
  await as("admin", async (page) => {
    await page.getByRole("button", { name: "Add channel" }).click();
    const form = page.getByRole("dialog", { name: "Notice channel" });
    await form.getByLabel("Name").fill(`Pager ${stamp}`);
    await form.getByLabel("Service").selectOption("pagerduty");
    await form.getByLabel("Key or token, if it needs one").fill("a-key-of-this-test");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText(`Pager ${stamp}`).waitFor();
    assert.ok(!(await page.content()).includes("a-key-of-this-test"));
    await page.getByRole("heading", { name: "Notices of alarms" }).waitFor();
  });
});

test("viewer: sees who is on call and no buttons", async () => {
  await as("viewer", async (page) => {
    await panel(page, `Night ${stamp}`).getByText("On call now:").waitFor();
    for (const name of ["Add schedule", "Add chain", "Add channel", "Add override"]) {
      assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    }
  });
});
