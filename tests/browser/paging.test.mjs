// Lists that the server cuts into pages: tickets as board and list, predictions.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { api, baseUrl, launch, login, open, until } from "./lib/browser.mjs";

const plant = `paging-${Date.now().toString(36)}`;
let browser, page, machine;

before(async () => {
  browser = await launch();
  page = await open(browser);
  await login(page);
  machine = await api(page, "/machines", { name: plant });
});
after(() => browser?.close());

const settled = () =>
  page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector("[aria-busy]"));
const makeTickets = (from, to) =>
  Promise.all(
    Array.from({ length: to - from }, (_, i) =>
      api(page, "/tickets", {
        machine_id: machine.id, title: `${plant} ${from + i}`, priority: "low",
        assignee: (from + i) % 2 ? "technician@example.com" : undefined,
      }),
    ),
  );

describe("tickets", () => {
  const column = (name) =>
    page.locator(".board-column").filter({ has: page.getByRole("heading", { name, exact: false }) });
  const cards = (name) => column(name).locator(".card");
  const rows = () => page.locator("main tbody tr");
  before(async () => {
    for (let i = 0; i < 60; i += 20) await makeTickets(i, i + 20);
  });

  test("a column shows its total and the first fifty tickets, and more on request", async () => {
    await page.goto(`${baseUrl}/app/tickets?q=${plant}`);
    await column("To do").getByRole("heading").getByText("60").waitFor();
    assert.equal(await cards("To do").count(), 50);
    assert.equal(await cards("In progress").count(), 0);
    await column("To do").getByRole("button", { name: "Show more" }).click();
    await until(async () => (await cards("To do").count()) === 60, "all sixty");
    assert.equal(await column("To do").getByRole("button", { name: "Show more" }).count(), 0);
  });

  test("a ticket opened by another user appears, and moves with its state", async () => {
    const [ticket] = await makeTickets(60, 61);
    await cards("To do").filter({ hasText: ticket.title }).waitFor();
    await page.evaluate(async ([path, body]) => {
      const headers = {
        authorization: `Bearer ${localStorage.getItem("access_token")}`, "content-type": "application/json",
      };
      await fetch(`/api${path}`, { method: "PATCH", headers, body });
    }, [`/tickets/${ticket.id}`, JSON.stringify({ status: "in_progress" })]);
    await cards("In progress").filter({ hasText: ticket.title }).waitFor();
    await column("To do").getByRole("heading").getByText("60").waitFor();
  });

  test("the list has pages, and is unchanged after a ticket was opened and closed", async () => {
    await page.getByRole("button", { name: "List", exact: true }).click();
    await page.getByText("Page 1 of 2", { exact: true }).waitFor();
    assert.equal(await rows().count(), 50);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Page 2 of 2", { exact: true }).waitFor();
    await until(async () => (await rows().count()) === 11, "the last eleven");
    await rows().first().getByRole("link").click();
    const drawer = page.getByRole("complementary", { name: "Ticket" });
    await drawer.getByText(plant).first().waitFor();
    await page.getByText("Page 2 of 2", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    assert.equal(await rows().count(), 11);
    assert.match(page.url(), new RegExp(`/tickets\\?.*q=${plant}`));
  });

  test("the filter text is in the address, and a new one leads back to the first page", async () => {
    await page.getByRole("searchbox", { name: "Filter by text" }).fill(`${plant} 5`);
    // 5 and 50 to 59
    await until(async () => (await rows().count()) === 11, "those with a five");
    assert.equal(new URL(page.url()).searchParams.get("q"), `${plant} 5`);
    assert.equal(new URL(page.url()).searchParams.get("page"), null);
    await page.reload();
    await until(async () => (await rows().count()) === 11, "the same after a reload");
    assert.equal(await page.getByRole("searchbox", { name: "Filter by text" }).inputValue(), `${plant} 5`);
  });

  test("\"Assigned to me\" lists only the user's own tickets", async () => {
    await page.goto(`${baseUrl}/app/tickets?q=${plant}`);
    const asked = page.waitForRequest((r) => r.url().includes("/api/tickets?") && r.url().includes("assignee="));
    await page.getByRole("button", { name: "Assigned to me" }).click();
    await asked;
    await page.getByText("No tickets here").waitFor();
    assert.equal(await page.locator(".card").count(), 0);
  });
});

test("the alarm queue is unchanged after an alarm was opened and closed", async () => {
  for (const message of ["creaks", "hums"]) {
    await api(page, "/alarms", { machine_id: machine.id, severity: "info", message: `${plant} ${message}` });
  }
  await page.goto(`${baseUrl}/app/alarms?q=${plant}`);
  const rows = page.locator("main .alarm");
  await until(async () => (await rows.count()) === 2, "its two alarms");
  const drawer = page.getByRole("complementary", { name: "Alarm" });
  const field = drawer.getByLabel("What was found and done");
  await rows.filter({ hasText: "hums" }).focus();
  await page.keyboard.press("r");
  await field.waitFor();
  await until(() => field.evaluate((f) => f === document.activeElement), "the field has the focus");
  assert.equal(await rows.count(), 2);
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).search, `?q=${plant}`);
  assert.equal(await rows.count(), 2);
});

describe("predictions", () => {
  test("predictions are filtered by class on the server, in pages, with their sensors' names", async () => {
    const names = [];
    page.on("request", (r) => r.url().includes("/api/sensors?") && names.push(new URL(r.url())));
    await page.goto(`${baseUrl}/app/predictions`);
    await settled();
    await page.locator("main tbody tr").first().getByRole("link").first().waitFor();
    const rows = await page.locator("main tbody tr").count();
    assert.ok(rows > 0 && rows <= 50, `${rows} rows`);
    await until(async () => {
      const texts = await page.locator("main tbody .main-cell").allInnerTexts();
      return texts.every((text) => text.trim() !== "");
    }, "every sensor has its name");
    assert.ok(names.length > 0 && names.every((url) => url.searchParams.get("ids")), names.join());
    const asked = page.waitForResponse((r) => r.url().includes("/predictions?") && r.url().includes("status=normal"));
    await page.getByRole("button", { name: "Normal", exact: true }).click();
    const some = await (await asked).json();
    assert.ok(some.every((prediction) => prediction.status === "normal"));
    assert.equal(new URL(page.url()).searchParams.get("status"), "normal");
  });
});

test("a machine without predictions says so", async () => {
  await page.goto(`${baseUrl}/app/machines/${machine.id}`);
  await page.getByText("No prediction yet", { exact: true }).waitFor();
  await page.getByText("No reading yet", { exact: true }).waitFor();
});

test("the sensors of the overview are chosen in a panel that a button opens", async () => {
  await page.goto(`${baseUrl}/app/`);
  const button = page.getByRole("button", { name: "Choose sensors" });
  await button.click();
  const boxes = page.locator(".picker-list label");
  await boxes.first().waitFor();
  const lanes = await page.locator(".lane").count();
  assert.ok(lanes > 0);
  await boxes.filter({ has: page.locator("input:checked") }).first().click();
  await until(async () => (await page.locator(".lane").count()) === lanes - 1, "one chart less");
  await page.keyboard.press("Escape");
  await boxes.first().waitFor({ state: "hidden" });
  assert.equal(await button.evaluate((b) => b === document.activeElement), true);
});

test("there were no console errors or failed requests", () => assert.deepEqual(page.complaints, []));
