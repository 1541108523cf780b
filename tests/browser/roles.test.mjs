// Every page as each role: it shows its data, no request is refused, and no button is shown that the role may not use.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { api, baseUrl, launch, login, open, settled } from "./lib/browser.mjs";

const operator = { email: `op-${Date.now().toString(36)}@example.com`, password: "Operate-The-Plant-7", role: "operator" };
const roles = {
  operator: [operator.email, operator.password],
  viewer: ["viewer@example.com", "viewer123"],
  engineer: ["engineer@example.com", "engineer123"],
  admin: [undefined, undefined],
};
// Buttons for engineers, and the pages with them.
const acts = {
  "/machines": ["Add machine"],
  "/machines/MACHINE": ["Edit", "Add sensor"],
  "/sensors": ["Add sensor"],
  "/sensors/SENSOR": ["Edit"],
  "/alarms": ["Acknowledge"],
  "/alarms/ALARM": ["Acknowledge", "Resolve"],
  "/tickets": ["New ticket"],
  "/tickets/TICKET": ["Save"],
};
const plain = ["/", "/predictions", "/system", "/start", "/profile"];
let browser, ids;

before(async () => {
  browser = await launch();
  const page = await open(browser);
  await login(page);
  await api(page, "/settings/password.change_first", { value: "false" }, "PATCH");
  await api(page, "/users", operator);
  const [sensor] = await api(page, "/sensors?limit=1");
  const alarm = await api(page, "/alarms", {
    machine_id: sensor.machine_id, sensor_id: sensor.id, severity: "warning", message: "Noise at the gear",
  });
  const ticket = await api(page, "/tickets", { machine_id: sensor.machine_id, title: "Listen to the gear" });
  ids = { MACHINE: sensor.machine_id, SENSOR: sensor.id, ALARM: alarm.id, TICKET: ticket.id };
  await page.context().close();
});
after(() => browser?.close());

for (const [role, [email, password]] of Object.entries(roles)) {
  describe(role, () => {
    let page, refused;
    before(async () => {
      page = await open(browser);
      refused = [];
      page.on("response", (r) => r.status() >= 400 && refused.push(`${r.status()} ${r.url()}`));
      await login(page, email ? { email, password } : undefined);
    });
    after(() => page?.context().close());
    const visit = async (path) => {
      await page.goto(`${baseUrl}/app${path.replace(/[A-Z]+/, (name) => ids[name])}`);
      await page.locator(".user-name small").getByText(role).waitFor();
      await settled(page);
    };
    test("only buttons that the role may use are shown", async () => {
      const may = role === "engineer" || role === "admin";
      for (const [path, names] of Object.entries(acts)) {
        await visit(path);
        for (const name of names) {
          const button = page.locator("main, .drawer").getByRole("button", { name, exact: true });
          if (may) await button.first().waitFor();
          else assert.equal(await button.count(), 0, `${name} on ${path}`);
        }
        assert.equal((await page.locator(".alarm input[type=checkbox]").count()) > 0, may && path.startsWith("/alarms"), path);
      }
    });
    test("no request is refused", async () => {
      for (const path of plain) await visit(path);
      assert.deepEqual(refused, []);
      assert.deepEqual(page.complaints, []);
    });
    test("the menu lists only pages that the role may use", async () => {
      for (const name of ["Users", "Audit log"]) {
        assert.equal((await page.locator(".menu").getByRole("link", { name }).count()) > 0, role === "admin", name);
      }
    });
  });
}
