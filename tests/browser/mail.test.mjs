// Flows that leave the browser: a mail that arrives and whose link sets a new password, and a job that fails without
// readings and succeeds once there are some.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { api, baseUrl, connect, launch, login, open, required, sensorsOf, until } from "./lib/browser.mjs";

const stamp = Date.now().toString(36);
const who = { email: `forgetful-${stamp}@example.com`, password: `Forgotten-${stamp}-1` };
const mails = [];
let browser, admin, plant, server, publicUrl;

before(async () => {
  const script = new URL("../fixtures/smtp_server.py", import.meta.url).pathname;
  const { port } = new URL(required("SMTP_URL").replace(/^smtp:/, "http:"));
  server = spawn("python3", [script, "plain", port], { stdio: ["ignore", "pipe", "inherit"] });
  let listens = false;
  createInterface({ input: server.stdout }).on("line", (line) => {
    if (listens) mails.push(JSON.parse(line));
    listens = true;
  });
  await until(async () => listens, "the mail server listens");
  browser = await launch();
  admin = await open(browser);
  plant = await connect();
  await login(admin);
  await api(admin, "/users", { ...who, full_name: "A. Forgetful" });
  const setting = (await api(admin, "/settings")).find(({ key }) => key === "general.public_url");
  publicUrl = setting.value;
  await api(admin, "/settings/general.public_url", { value: baseUrl }, "PATCH");
});
after(async () => {
  if (publicUrl) await api(admin, "/settings/general.public_url", { value: publicUrl }, "PATCH");
  await plant?.end();
  await browser?.close();
  server?.kill();
});

test("the link of a password mail sets a new password once", async () => {
  const page = await open(browser);
  await page.goto(`${baseUrl}/app/login`);
  await page.getByRole("link", { name: "Forgotten your password?" }).click();
  await page.getByLabel("Mail address").fill(who.email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByRole("status").filter({ hasText: "is on its way" }).waitFor();
  const mail = await until(async () => mails.find(({ to }) => to.includes(who.email)), "the mail arrives", 30_000);
  assert.equal(mail.subject, "Set a new password");
  const [link] = /http\S+/.exec(mail.text);
  assert.ok(link.startsWith(`${baseUrl}/app/reset-password#token=`), link);
  assert.ok(mail.html.includes(link));

  const fresh = `Remembered-${stamp}-2`;
  await page.goto(link);
  // the same page with another fragment is not loaded anew by itself
  await page.reload();
  await page.getByLabel("New password").fill(fresh);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("Your password is changed.").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the used token does not stay in the address");
  await page.getByRole("link", { name: "To the sign-in" }).click();
  await page.getByLabel("Mail address").fill(who.email);
  await page.getByLabel("Password").fill(fresh);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();

  const later = await open(browser);
  await later.goto(`${baseUrl}/app/login`);
  await later.getByLabel("Mail address").fill(who.email);
  await later.getByLabel("Password").fill(who.password);
  await later.getByRole("button", { name: "Sign in" }).click();
  await later.getByText("Mail address or password is wrong.").waitFor();
  await later.goto(link);
  await later.getByLabel("New password").fill(`Remembered-${stamp}-3`);
  await later.getByRole("button", { name: "Set the password" }).click();
  await later.getByText("Invalid or expired reset token").waitFor();
  await later.context().close();
});

test("a failed job shows its error and succeeds when it is retried after the cause is gone", async () => {
  const machine = `grinder-${stamp}`;
  const now = Date.now();
  const readings = (sensor, from, to) =>
    Array.from({ length: to - from }, (_, i) => {
      const n = from + i;
      const value = 20 + 2 * Math.sin((n * 2 * Math.PI) / 60) + 0.2 * ((n * 7919 + sensor * 31) % 17);
      return { sensor_id: `belt-${sensor}`, value, timestamp: new Date(now - (3_000 - n) * 60_000).toISOString() };
    });
  await plant.publish(machine, readings(0, 0, 5));
  const [{ machine_id }] = await until(async () => {
    const found = await sensorsOf(admin, machine);
    return found.length > 0 && found;
  }, "the machine is registered");
  const { job_id } = await api(admin, "/ai/retrain", { machine_id });
  await until(async () => (await api(admin, `/jobs/${job_id}`)).status === "failed", "the job fails", 30_000);

  await admin.goto(`${baseUrl}/app/system`);
  const job = admin.getByRole("listitem").filter({ hasText: "Retrain" }).first();
  await job.getByText("Failed").waitFor();
  await job.getByText("Too few readings").waitFor();

  const before = (await api(admin, "/mqtt/status")).bridge.readings_committed;
  for (let sensor = 0; sensor < 3; sensor++) {
    for (let from = 5; from < 2_500; from += 250) {
      await plant.publish(machine, readings(sensor, from, Math.min(2_500, from + 250)));
    }
  }
  await until(
    async () => (await api(admin, "/mqtt/status")).bridge.readings_committed >= before + 3 * 2_495,
    "the readings are stored", 60_000,
  );
  await job.getByRole("button", { name: "Try again" }).click();
  await job.getByText("Failed").waitFor({ state: "hidden" });
  await job.getByText("Completed").waitFor({ timeout: 90_000 });
  assert.equal((await api(admin, `/jobs/${job_id}`)).status, "completed");
  assert.deepEqual(admin.complaints, []);
});
