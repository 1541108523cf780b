// Several pages of one browser share one session; and the ways to sign in that need more than a password.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { api, baseUrl, launch, login, open, until } from "./lib/browser.mjs";

const stamp = Date.now().toString(36);
const people = ["tabs", "first", "factor"].map((name) => ({
  email: `${name}-${stamp}@example.com`, password: `Turbine-${stamp}-1`, role: "engineer",
}));
const [tabs, first, factor] = people;
let browser;

before(async () => {
  browser = await launch();
  const admin = await open(browser);
  await login(admin);
  await api(admin, "/settings/password.change_first", { value: "false" }, "PATCH");
  for (const person of people) await api(admin, "/users", person);
  await admin.context().close();
});
after(() => browser?.close());

// A second page of the same browser, at `path`.
async function another(page, path = "/") {
  const other = await page.context().newPage();
  await other.goto(`${baseUrl}/app${path}`);
  return other;
}

test("pages whose access token is refused renew the session once, and stay", async () => {
  const page = await open(browser);
  await login(page, tabs);
  const others = [await another(page, "/machines"), await another(page, "/alarms"), await another(page, "/tickets")];
  const pages = [page, ...others];
  let renewals = 0;
  page.context().on("request", (request) => (renewals += request.url().endsWith("/users/refresh") ? 1 : 0));
  for (let round = 1; round <= 3; round++) {
    await page.evaluate(() => localStorage.setItem("access_token", "no.longer.good"));
    await Promise.all(pages.map((each) => each.reload()));
    for (const each of pages) await each.getByRole("link", { name: "Overview" }).first().waitFor();
    await until(async () => (await page.evaluate(() => localStorage.getItem("access_token"))) !== "no.longer.good", "renewed");
    assert.equal(renewals, round);
  }
  await api(page, "/users/me");
  await page.context().close();
});

test("signing out on one page signs out all, and signing in signs in all", async () => {
  const page = await open(browser);
  await login(page, tabs);
  const other = await another(page, "/machines");
  await other.getByRole("heading", { name: "Machines", level: 1 }).waitFor();
  await page.goto(`${baseUrl}/app/profile`);
  await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
  for (const each of [page, other]) await each.getByLabel("Mail address").waitFor();
  await page.getByLabel("Mail address").fill(tabs.email);
  await page.getByLabel("Password").fill(tabs.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Overview" }).first().waitFor();
  await other.getByRole("heading", { name: "Machines", level: 1 }).waitFor();
  await page.context().close();
});

test("the profile lists the sessions, and ends another one", async () => {
  const page = await open(browser);
  await login(page, tabs);
  const elsewhere = await open(browser);
  await login(elsewhere, tabs);
  await page.goto(`${baseUrl}/app/profile`);
  const panel = page.locator("section").filter({ has: page.getByRole("heading", { name: "Sessions" }) });
  await panel.getByText("This session").waitFor();
  const others = panel.getByRole("button", { name: "End", exact: true });
  for (let left = await others.count(); left > 0; left--) {
    await others.first().click();
    await panel.getByRole("button", { name: "End the session" }).click();
    await until(async () => (await others.count()) < left, "the session leaves the list");
  }
  await until(async () => (await elsewhere.evaluate(async () => {
    const headers = { authorization: `Bearer ${localStorage.getItem("access_token")}` };
    return (await fetch("/api/users/me", { headers })).status;
  })) === 401, "the session is dead", 15_000);
  await panel.getByText("This session").waitFor();
  for (const each of [page, elsewhere]) await each.context().close();
});

test("an API key is shown once, with what it is for", async () => {
  const page = await open(browser);
  await login(page, tabs);
  await page.goto(`${baseUrl}/app/profile`);
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New API key" });
  await form.getByLabel("Name").fill("Historian");
  await form.getByLabel("machines.read").check();
  await form.getByRole("button", { name: "Make the key" }).click();
  const key = await form.locator("code.secret").textContent();
  await form.getByRole("button", { name: "Done" }).click();
  await page.getByText("Historian").waitFor();
  const status = async (path) =>
    (await fetch(`${baseUrl}/api${path}`, { headers: { authorization: `Bearer ${key}` } })).status;
  assert.deepEqual([await status("/machines"), await status("/alarms")], [200, 403]);
  await page.context().close();
});

test("a first password leads to the profile, where another one is chosen", async () => {
  const admin = await open(browser);
  await login(admin);
  await api(admin, "/settings/password.change_first", { value: "true" }, "PATCH");
  const page = await open(browser);
  await page.goto(`${baseUrl}/app/`);
  await page.getByLabel("Mail address").fill(first.email);
  await page.getByLabel("Password").fill(first.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Choose a password of your own first").first().waitFor();
  assert.equal(new URL(page.url()).pathname, "/app/profile");
  const panel = page.locator("section").filter({ has: page.getByRole("heading", { name: "Password", exact: true }) });
  await panel.getByLabel("Current password").fill(first.password);
  await panel.getByLabel("New password").fill(`Compressor-${stamp}-2`);
  await panel.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Password changed successfully").waitFor();
  await page.goto(`${baseUrl}/app/machines`);
  await page.getByRole("heading", { name: "Machines", level: 1 }).waitFor();
  await api(admin, "/settings/password.change_first", { value: "false" }, "PATCH");
  for (const each of [page, admin]) await each.context().close();
});

// The code of RFC 6238 for a time, seconds since 1970.
function code(secret, at) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const number = (hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

test("a sign-in asks for the code of a second factor, or a recovery code", async () => {
  const page = await open(browser);
  await login(page, factor);
  await page.goto(`${baseUrl}/app/profile`);
  const panel = page.locator("section").filter({ has: page.getByRole("heading", { name: "Second factor" }) });
  await panel.getByLabel("Password").fill(factor.password);
  await panel.getByRole("button", { name: "Set it up" }).click();
  const secret = await panel.locator("code.secret").textContent();
  await panel.getByLabel("Code").fill(code(secret, Date.now() / 1000));
  await panel.getByRole("button", { name: "Switch it on" }).click();
  const recovery = (await panel.locator("pre.secret").textContent()).split("\n");
  assert.equal(recovery.length, 10);
  await panel.getByRole("button", { name: "I have kept them" }).click();
  await panel.getByText("10 recovery codes are left").waitFor();
  await page.context().close();

  for (const answer of [code(secret, Date.now() / 1000 + 30), recovery[0]]) {
    const again = await open(browser);
    await again.goto(`${baseUrl}/app/`);
    await again.getByLabel("Mail address").fill(factor.email);
    await again.getByLabel("Password").fill(factor.password);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.getByText("Enter the code of your authenticator app").waitFor();
    await again.getByLabel("Code").fill("000000");
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.getByText("This code is not good, or was used before").waitFor();
    await again.getByLabel("Code").fill(answer);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.getByRole("link", { name: "Overview" }).first().waitFor();
    await again.context().close();
  }
});
