// Every page in light and dark, wide and narrow: it shows its data without console errors, failed requests and
// horizontal scrolling, and axe finds no serious violation. The screenshots are in output/.
import { after, before, describe, test } from "node:test";
import { api, baseUrl, inspect, launch, login, open, roles, until } from "./lib/browser.mjs";

const sizes = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
let browser, state, pages;

before(async () => {
  browser = await launch();
  const page = await open(browser);
  await login(page);
  // A failing pump with alarms, comments and tickets, so that no page is empty.
  const [machine] = await api(page, "/machines?limit=1&search=Pump-01");
  const failure = { machine_id: "machine-1", sensor_id: "pressure-head", anomaly_type: "critical", duration: 8 };
  await api(page, "/simulator/trigger-failure", failure);
  const alarm = await until(async () => {
    const found = await api(page, `/alarms?machine_id=${machine.id}&status=open&severity=critical`);
    return found.find(({ kind }) => kind === "threshold");
  }, "the pump's alarm", 60_000);
  const sensor = { id: alarm.sensor_id };
  const [motor] = await api(page, "/machines?limit=1&search=Motor-02");
  const [compressor] = await api(page, "/machines?limit=1&search=Compressor-A");
  await api(page, "/alarms", { machine_id: motor.id, severity: "warning", message: "Grinding noise at the drive end" });
  await api(page, "/alarms", { machine_id: compressor.id, severity: "info", message: "Oil filter is due at 2,000 h" });
  const [ticket] = await api(page, `/tickets?machine_id=${machine.id}`);
  const work = { machine_id: motor.id, title: "Grease the drive-end bearing", priority: "high", assignee: "engineer@example.com" };
  const begun = await api(page, "/tickets", work);
  await api(page, `/tickets/${begun.id}`, { status: "in_progress" }, "PATCH");
  await api(page, "/tickets", { machine_id: compressor.id, title: "Change the oil filter", priority: "low" });
  await api(page, `/alarms/${alarm.id}/comments`, { content: "Suction valve was half shut; watching it." });
  const predictions = await api(page, `/predictions?limit=100&machine_id=${machine.id}`);
  const [prediction] = predictions.sort((a, b) => b.score - a.score);
  // so that no list is empty
  await api(page, "/reports/generate", { format: "csv", title: "Readings of the week" });
  const every = { cadence: "weekly", format: "pdf", recipients: ["shift@example.com"], is_active: false };
  await api(page, "/reports/schedules", { name: "Monday's report", ...every });
  const quiet = { url: "https://hooks.example.com/plant", events: ["alarm.*", "ticket.created"], is_active: false };
  await api(page, "/webhooks", { name: "Control room", ...quiet });
  pages = {
    overview: "/",
    machines: "/machines",
    machine: `/machines/${machine.id}`,
    sensors: "/sensors",
    sensor: `/sensors/${sensor.id}`,
    predictions: "/predictions",
    prediction: `/predictions/${prediction.id}`,
    alarms: "/alarms",
    alarm: `/alarms/${alarm.id}`,
    tickets: "/tickets",
    "ticket-list": "/tickets?view=list",
    ticket: `/tickets/${ticket.id}`,
    reports: "/reports",
    models: "/models",
    "on-call": "/on-call",
    webhooks: "/webhooks",
    mappings: "/mappings",
    settings: "/settings",
    users: "/users",
    audit: "/audit",
    system: "/system",
    start: "/start",
    profile: "/profile",
    missing: "/no-such-page",
  };
  state = await page.context().storageState();
  await page.context().close();
});
after(() => browser?.close());

for (const theme of ["light", "dark"]) {
  for (const size of sizes) {
    describe(`${theme}, ${size.width} px`, () => {
      test("the login page is accessible and fits the window", async () => {
        const page = await open(browser, { ...size, theme });
        await page.goto(`${baseUrl}/app/login`);
        await page.getByRole("button", { name: "Sign in" }).waitFor();
        await inspect(page, `login-${theme}-${size.width}`);
        await page.context().close();
      });
      for (const [name, path] of [["reset", ""], ["reset-token", "#token=none"]]) {
        test(name, async () => {
          const page = await open(browser, { ...size, theme });
          await page.goto(`${baseUrl}/app/reset-password${path}`);
          await page.getByRole("link", { name: "To the sign-in" }).waitFor();
          await inspect(page, `${name}-${theme}-${size.width}`);
          await page.context().close();
        });
      }
      test("every page is accessible and fits the window", async (t) => {
        const page = await open(browser, { ...size, theme, state });
        for (const [name, path] of Object.entries(pages)) {
          await t.test(name, async () => {
            page.complaints.length = 0;
            await page.goto(`${baseUrl}/app${path}`);
            await inspect(page, `${name}-${theme}-${size.width}`);
          });
        }
        await page.context().close();
      });
    });
  }
}

// A page that a role may not use says so.
const others = [
  ["engineer", "dark", { width: 1440, height: 900 }],
  ["viewer", "light", { width: 390, height: 844 }],
];
for (const [role, theme, size] of others) {
  test(`every page is accessible as ${role}`, async (t) => {
    const page = await open(browser, { ...size, theme });
    await login(page, roles[role]);
    for (const name of ["reports", "models", "on-call", "webhooks", "settings", "users", "audit", "system", "profile"]) {
      await t.test(name, async () => {
        await page.goto(`${baseUrl}/app/${name}`);
        await inspect(page, `${name}-as-${role}`);
      });
    }
    await page.context().close();
  });
}
