// Reports, webhooks, settings, models, system state and accounts, each used in the roles that may see it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import {
  api, baseUrl, connect, download, inspect, launch, open, roles, settled, shoot, signedIn, until,
} from "./lib/browser.mjs";

const stamp = Date.now().toString(36);
const states = {};
let browser, receiver, address;
const received = [];

before(async () => {
  browser = await launch();
  for (const [role, who] of Object.entries(roles)) states[role] = await signedIn(browser, who);
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      received.push({ id: request.headers["webhook-id"], body: JSON.parse(body) });
      response.end("taken");
    });
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${receiver.address().port}/hook`;
});
after(async () => {
  await browser?.close();
  receiver?.close();
});

// A test with its own page, signed in as `role`, at `path`. At its end there are no console errors or failed requests.
function as(role, path, name, steps, size = {}) {
  test(`${role}: ${name}`, async () => {
    const page = await open(browser, { state: states[role], ...size });
    await page.goto(`${baseUrl}/app${path}`);
    await page.locator("main h1").first().waitFor();
    await steps(page);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

const dialog = (page, name) => page.getByRole("dialog", { name });
const menu = (page) => page.getByRole("navigation", { name: "Main" });

describe("the menu depends on the role", () => {
  const everybody = ["Overview", "Machines", "Alarms", "Sensors", "Predictions", "Tickets", "On call", "System"];
  const entries = {
    viewer: [...everybody, "Reports"],
    engineer: [...everybody, "Reports", "Models", "Webhooks", "Payloads", "Settings"],
    admin: [...everybody, "Reports", "Models", "Webhooks", "Payloads", "Settings", "Users", "Audit log"],
  };
  for (const [role, names] of Object.entries(entries)) {
    as(role, "/system", "the menu lists only pages that the role may use", async (page) => {
      await menu(page).getByRole("link", { name: "Reports" }).waitFor();
      const shown = await menu(page).locator("ul a").evaluateAll((links) =>
        links.map((link) => link.querySelector("span").textContent),
      );
      assert.deepEqual(shown.sort(), names.sort());
    });
  }
});

as("viewer", "/users", "a page of another role names the required role, and the palette does not list it", async (page) => {
  await page.getByText("This page is not for your role").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("searchbox", { name: "Page, machine or sensor" }).fill("page");
  await page.getByRole("dialog").getByText("Reports").waitFor();
  assert.equal(await page.getByRole("dialog").getByText("Settings").count(), 0);
});

describe("reports", () => {
  as("viewer", "/reports", "creates, opens, downloads and deletes a PDF report", async (page) => {
    await page.getByRole("button", { name: "New report" }).click();
    const form = dialog(page, "New report");
    await form.getByLabel("Format").selectOption("pdf");
    await form.getByLabel("Title").fill(`Plant ${stamp}`);
    await shoot(page, "report-form");
    await form.getByRole("button", { name: "Make it" }).click();
    const preview = dialog(page, "Report");
    await preview.locator("iframe").waitFor({ timeout: 30_000 });
    await page.waitForTimeout(1500);
    await shoot(page, "report-preview");
    const { name, bytes } = await download(page, () => preview.getByRole("button", { name: "Download" }).click());
    assert.match(name, /\.pdf$/);
    assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
    assert.match(bytes.subarray(-16).toString(), /%%EOF/);
    await page.keyboard.press("Escape");
    await preview.waitFor({ state: "hidden" });
    const row = page.getByRole("row").filter({ hasText: `Plant ${stamp}` });
    await row.getByRole("button", { name: "Delete" }).click();
    await row.getByRole("button", { name: "Really delete" }).click();
    await row.waitFor({ state: "hidden" });
  });
  as("viewer", "/reports", "a range that ends before it begins is refused with a reason", async (page) => {
    await page.getByRole("button", { name: "New report" }).click();
    const form = dialog(page, "New report");
    await form.getByLabel("From day").fill("2026-05-02");
    await form.getByLabel("To day").fill("2026-04-02");
    await form.getByRole("button", { name: "Make it" }).click();
    await form.getByText("The first day is after the last.").waitFor();
    await shoot(page, "report-refused");
  });
  as("engineer", "/reports", "creates, pauses and deletes a schedule", async (page) => {
    await page.getByRole("button", { name: "Schedule", exact: true }).click();
    const form = dialog(page, "New schedule");
    await form.getByLabel("Name").fill(`Morning ${stamp}`);
    await form.getByLabel("How often").selectOption("weekly");
    await form.getByRole("combobox", { name: "On", exact: true }).selectOption("Friday");
    await form.getByLabel("Mail addresses").fill("a@example.com, b@example.com");
    await shoot(page, "schedule-form");
    await form.getByRole("button", { name: "Schedule it" }).click();
    const entry = page.getByRole("listitem").filter({ hasText: `Morning ${stamp}` });
    await entry.getByText("a@example.com, b@example.com").waitFor();
    const list = await api(page, "/reports/schedules");
    assert.equal(list.find((s) => s.name === `Morning ${stamp}`).weekday, 4, "Friday, from Monday as 0");
    await entry.getByRole("button", { name: "Pause" }).click();
    await entry.getByRole("button", { name: "Resume" }).waitFor();
    await shoot(page, "schedules");
    await entry.getByRole("button", { name: "Delete" }).click();
    await entry.getByRole("button", { name: "Really delete" }).click();
    await entry.waitFor({ state: "hidden" });
  });
});

describe("webhooks", () => {
  as("admin", "/webhooks", "adds a webhook, tests it, replays a delivery, rotates the secret", async (page) => {
    const name = `Receiver ${stamp}`;
    await page.getByRole("button", { name: "Add receiver" }).click();
    const shown = dialog(page, "Webhook");
    await shown.getByLabel("Name").fill(name);
    await shown.getByLabel("Address").fill(address);
    await shown.getByLabel("Events, separated by commas").fill("alarm.*");
    await shoot(page, "webhook-form");
    await shown.getByRole("button", { name: "Save" }).click();
    const secret = await shown.locator("code").textContent();
    assert.ok(secret.length > 20);
    await shoot(page, "webhook-secret");
    await page.keyboard.press("Escape");
    await shown.waitFor({ state: "hidden" });

    const panel = page.locator("section.panel").filter({ hasText: name });
    await panel.getByRole("button", { name: "Test" }).click();
    await page.getByText("The receiver answered.").waitFor();
    await until(async () => received.length > 0, "the receiver hears the test");
    const first = received[0];

    await panel.getByRole("button", { name: "Deliveries" }).click();
    const delivery = shown.getByRole("listitem").first();
    await delivery.getByText("Delivered").waitFor();
    await delivery.locator("summary").click();
    await shoot(page, "deliveries");
    await delivery.getByRole("button", { name: "Send again" }).click();
    await until(async () => received.length > 1, "the receiver hears the replay");
    assert.deepEqual(received[1], first, "the same delivery, under the same identifier");
    await page.keyboard.press("Escape");
    await shown.waitFor({ state: "hidden" });

    await panel.getByRole("button", { name: "New secret" }).click();
    await panel.getByRole("button", { name: "Really make a new secret" }).click();
    await until(async () => ![secret, null].includes(await shown.locator("code").textContent()), "another secret");
    await page.keyboard.press("Escape");

    await panel.getByRole("button", { name: "Change" }).click();
    await shown.getByRole("button", { name: "Delete" }).click();
    await shown.getByRole("button", { name: "Delete it and its deliveries" }).click();
    await panel.waitFor({ state: "hidden" });
  });
  as("engineer", "/webhooks", "sees webhooks without the buttons of administrators", async (page) => {
    await settled(page);
    assert.equal(await page.getByRole("button", { name: "Add receiver" }).count(), 0);
  });
});

describe("payloads", () => {
  const topic = `edge/plc-${stamp}/temperature`;
  as("engineer", "/mappings", "makes a mapping of a dead letter, sees what it gives, and replays the letter", async (page) => {
    const plant = await connect();
    await plant.send(topic, "21,5");
    await until(async () => (await api(page, "/mqtt/dead-letters/groups")).some((group) => group.topic === topic), "a dead letter");
    await page.reload();
    // the mapping that is made of it names the topic as well
    const letter = page.getByRole("listitem").filter({ hasText: topic }).filter({ hasText: "the last" });
    await letter.locator("summary").click();
    await letter.getByText("21,5").waitFor();
    await shoot(page, "dead-letters");
    await letter.getByRole("link", { name: "Make a mapping" }).click();
    const form = dialog(page, "Mapping");
    assert.equal(await form.getByLabel("Topic filter").inputValue(), topic);
    assert.equal(await form.getByLabel("Payload", { exact: true }).inputValue(), "21,5");
    await form.getByText("Falls out:").waitFor();
    await form.getByLabel("Name").fill(`PLC ${stamp}`);
    await form.getByLabel("Machine").fill("{topic:2}");
    await form.getByLabel("Sensor").fill("{topic:3}");
    await form.getByText('"21,5" is not a number').waitFor();
    await form.getByText("How the source writes").click();
    await form.getByLabel("Decimal comma").check();
    const reading = form.getByRole("row").filter({ hasText: `plc-${stamp}` });
    await reading.getByRole("cell", { name: "21.5" }).waitFor();
    assert.equal(await form.getByText("Falls out:").count(), 0);
    await shoot(page, "mapping-form");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("1 replayed, 1 readings stored.").waitFor();
    await letter.waitFor({ state: "hidden" });
    const [machine] = await api(page, `/machines?search=plc-${stamp}`);
    assert.ok(machine, "the machine is registered");
    await plant.end();
  });
  as("engineer", "/mappings", "changes a mapping, is told what cannot work, and deletes it", async (page) => {
    const entry = page.getByRole("listitem").filter({ hasText: `PLC ${stamp}` });
    await entry.getByRole("button", { name: "Change" }).click();
    const form = dialog(page, "Mapping");
    await form.getByLabel("Topic", { exact: true }).fill(topic);
    await form.getByLabel("Payload", { exact: true }).fill("23,5");
    await form.getByRole("cell", { name: "23.5" }).waitFor();
    await form.getByLabel("Machine").fill("{nothing}");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByRole("alert").getByText("machine:").waitFor();
    // that it is refused is what was asked for
    page.complaints.length = 0;
    await form.getByLabel("Machine").fill("press");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    await entry.getByText("machine press, sensor {topic:3}").waitFor();
    await entry.getByRole("button", { name: "Change" }).click();
    await form.getByRole("button", { name: "Delete" }).click();
    await form.getByRole("button", { name: "Really delete" }).click();
    await entry.waitFor({ state: "hidden" });
  });
  as("engineer", "/mappings", "deletes dead letters", async (page) => {
    const plant = await connect();
    await plant.send(`edge/odd-${stamp}`, "neither number nor object");
    await plant.end();
    await until(async () => (await api(page, "/mqtt/dead-letters/groups")).some((group) => group.topic === `edge/odd-${stamp}`), "a dead letter");
    await page.reload();
    const letter = page.getByRole("listitem").filter({ hasText: `edge/odd-${stamp}` });
    await letter.getByRole("button", { name: "Replay" }).click();
    await page.getByText("0 replayed, 0 readings stored. 1 stay").waitFor();
    await letter.getByRole("button", { name: "Delete" }).click();
    await letter.getByRole("button", { name: "Really delete" }).click();
    await letter.waitFor({ state: "hidden" });
  });
});

describe("settings", () => {
  const key = "reports.keep_days";
  as("admin", "/settings", "changes a number, gets an error for an invalid one, restores the default", async (page) => {
    const entry = page.getByRole("listitem").filter({ hasText: key });
    const shown = dialog(page, "Setting");
    await entry.getByRole("button").click();
    await shown.getByLabel("Value").fill("many");
    await shown.getByRole("button", { name: "Save" }).click();
    await shown.getByText("«many» is no number").waitFor();
    await shoot(page, "setting-form");
    await shown.getByLabel("Value").fill("45");
    await shown.getByRole("button", { name: "Save" }).click();
    await shown.waitFor({ state: "hidden" });
    await entry.getByText("45", { exact: true }).waitFor();
    await entry.getByRole("button").click();
    await shown.getByRole("button", { name: /^Back to/ }).click();
    await shown.waitFor({ state: "hidden" });
    await entry.getByText("45", { exact: true }).waitFor({ state: "hidden" });
  });
  as("engineer", "/settings", "reads settings and cannot change them", async (page) => {
    await page.getByText(key).waitFor();
    assert.equal(await page.getByRole("button", { name: `Change ${key}` }).count(), 0);
  });
});

describe("models", () => {
  // Two days of a plant that does the same every hour, a minute apart: enough to train on for some seconds.
  async function publishHistory() {
    const [sensors, readings, lot] = [40, 2500, 250];
    const end = Date.now() - 3_600_000;
    const plant = await connect();
    for (let sensor = 0; sensor < sensors; sensor++)
      for (let first = 0; first < readings; first += lot) {
        const some = Array.from({ length: lot }, (_, i) => {
          const n = first + i;
          const value = 40 + sensor + 3 * Math.sin((n * 2 * Math.PI) / 60) + 0.2 * ((n * 7919 + sensor * 31) % 17);
          const timestamp = new Date(end - (readings - n) * 60_000).toISOString();
          return { sensor_id: `bearing-${sensor}`, value, unit: "°C", timestamp };
        });
        await plant.publish(`mill-${stamp}`, some);
      }
    await plant.end();
    return sensors * readings;
  }
  as("admin", "/models", "trains a version, follows the progress, promotes it and rolls back", async (page) => {
    const published = await publishHistory();
    await until(async () => {
      const status = await api(page, "/mqtt/status");
      return status.bridge.readings_committed >= published;
    }, "the readings are stored", 60_000);
    await page.getByRole("button", { name: "Retrain" }).click();
    await page.getByRole("button", { name: "Train on the stored readings" }).click();
    await page.getByText("Training has been queued.").waitFor();
    await page.getByRole("progressbar", { name: "Training" }).waitFor({ timeout: 30_000 });
    assert.match(await page.getByRole("status").filter({ hasText: "Training:" }).textContent(), /Training: \d+ %/);
    await shoot(page, "training");
    await page.getByText("The last training is complete.").waitFor({ timeout: 90_000 });
    const trained = page.getByRole("row").filter({ hasNotText: "1.1.0" }).nth(1);
    await trained.getByRole("button", { name: "Report" }).click();
    await dialog(page, "Report").getByText("held out, seed").waitFor();
    await shoot(page, "model-report");
    await page.keyboard.press("Escape");
    await dialog(page, "Report").waitFor({ state: "hidden" });
    await shoot(page, "trained");
    await trained.getByRole("button", { name: "Promote" }).click();
    await trained.getByRole("button", { name: "Make it the active model" }).click();
    await trained.getByText("Active").waitFor();
    await shoot(page, "promoted");
    const before = page.getByRole("row").filter({ hasText: "1.1.0" });
    await before.getByRole("button", { name: "Roll back" }).click();
    await before.getByRole("button", { name: "Confirm roll back" }).click();
    await before.getByText("Active").waitFor();
  });
  as("engineer", "/models", "reads the models page and cannot train", async (page) => {
    await page.getByRole("heading", { name: "Verdicts" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Retrain" }).count(), 0);
  });
});

describe("system", () => {
  as("engineer", "/system", "shows the bridge's counters, jobs and dead letters", async (page) => {
    await page.getByText("Messages acknowledged").waitFor();
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    await page.getByRole("heading", { name: "Dead letters", exact: true }).waitFor();
  });
  as("viewer", "/system", "shows the state of services without jobs", async (page) => {
    await page.getByRole("heading", { name: "Database" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Jobs" }).count(), 0);
  });
});

describe("accounts", () => {
  as("admin", "/users", "the form of a new user opens again after Escape, and adds the user", async (page) => {
    const shown = dialog(page, "User");
    for (let i = 0; i < 3; i++) {
      await page.getByRole("button", { name: "Add user" }).click();
      await shown.getByLabel("Mail address").waitFor();
      await page.keyboard.press("Escape");
      await shown.waitFor({ state: "hidden" });
    }
    await page.getByRole("button", { name: "Add user" }).click();
    await shown.getByLabel("Mail address").fill(`new-${stamp}@example.com`);
    await shown.getByRole("textbox", { name: "Password" }).fill(`Long-enough-${stamp}-1`);
    await shown.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText(`new-${stamp}@example.com was added.`).waitFor();
  });
  as("viewer", "/profile", "mail preferences are saved", async (page) => {
    const box = page.getByLabel("Anomalies found by the model");
    const was = await box.isChecked();
    await box.setChecked(!was);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await page.reload();
    await page.getByLabel("Anomalies found by the model").waitFor();
    assert.equal(await page.getByLabel("Anomalies found by the model").isChecked(), !was);
    await page.getByLabel("Anomalies found by the model").setChecked(was);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
  });
  test("a password reset can be requested, and an invalid token is refused", async () => {
    const page = await open(browser);
    await page.goto(`${baseUrl}/app/login`);
    await page.getByRole("link", { name: "Forgotten your password?" }).click();
    await page.getByLabel("Mail address").fill("nobody@example.com");
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("status").filter({ hasText: "is on its way" }).waitFor();
    await inspect(page, "reset-asked");
    await page.goto(`${baseUrl}/app/reset-password#token=no-such-token`);
    // the same page with another fragment is not loaded anew by itself
    await page.reload();
    await page.getByLabel("New password").fill(`Long-enough-${stamp}-2`);
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("Invalid or expired reset token").waitFor();
    await shoot(page, "reset-refused");
    await page.getByRole("link", { name: "To the sign-in" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.context().close();
  });
});

describe("chunks of the program", () => {
  as("admin", "/", "chunks are loaded without leaving the document", async (page) => {
    await page.evaluate(() => (window.same = true));
    for (const name of ["Reports", "Alarms", "Settings", "Machines", "Reports"]) {
      await menu(page).getByRole("link", { name, exact: name !== "Alarms" }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
    }
    assert.equal(await page.evaluate(() => window.same), true);
    const files = await page.evaluate(() =>
      performance.getEntriesByType("resource").map((e) => e.name).filter((name) => name.endsWith(".wasm")),
    );
    for (const chunk of ["plant", "work", "admin"])
      assert.ok(files.some((file) => file.includes(`split_${chunk}-`)), `${chunk} was fetched`);
  });
  test("a chunk that could not be fetched is fetched again on request", async () => {
    const page = await open(browser, { state: states.admin });
    await page.goto(`${baseUrl}/app/`);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.route("**/split_admin-*", (route) => route.abort());
    await menu(page).getByRole("link", { name: "Settings" }).click();
    await page.getByText("This page could not be fetched.").waitFor();
    await shoot(page, "chunk-missing");
    await page.unroute("**/split_admin-*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    await page.context().close();
  });
});
