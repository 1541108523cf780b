// Sign-in by an identity provider, from the button to the page that was asked for.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { api, baseUrl, launch, login, open, shoot } from "./lib/browser.mjs";

const script = new URL("../identity-provider/provider.mjs", import.meta.url).pathname;
const settings = ["login.providers", "login.provider_secrets", "general.public_url"];
let browser, provider, admin;

before(async () => {
  provider = spawn("node", [script, `${baseUrl}/app/sign-in`], { stdio: ["pipe", "pipe", "ignore"] });
  const { value: issuer } = await createInterface({ input: provider.stdout })[Symbol.asyncIterator]().next();
  browser = await launch();
  admin = await open(browser);
  await login(admin);
  const described = [{ name: "plant", label: "Plant directory", issuer, client_id: "pm", default_role: "viewer" }];
  const values = [JSON.stringify(described), '{"plant":"a secret: with reserved characters"}', baseUrl];
  for (const [index, key] of settings.entries()) await api(admin, `/settings/${key}`, { value: values[index] }, "PATCH");
});
after(async () => {
  for (const key of settings) await api(admin, `/settings/${key}`, { value: null }, "PATCH");
  await browser?.close();
  provider?.kill();
});

test("a person signs in with the provider and comes to the page that was asked for", async () => {
  const page = await open(browser);
  await page.goto(`${baseUrl}/app/machines`);
  const button = page.getByRole("button", { name: "Sign in with Plant directory" });
  await button.waitFor();
  await shoot(page, "login-with-provider");
  await button.click();
  await page.getByRole("heading", { name: "Machines", level: 1 }).waitFor();
  assert.equal((await api(page, "/users/me")).email, "alice@example.com");
  assert.ok(!page.url().includes("code="), page.url());
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("an address with a code that this tab did not ask for signs nobody in", async () => {
  const page = await open(browser);
  await page.goto(`${baseUrl}/app/sign-in?code=of-somebody-else&state=s`);
  await page.getByText("This sign-in was not begun in this tab.").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("access_token")), null);
  await page.goto(`${baseUrl}/app/sign-in?error=access_denied`);
  await page.getByText("The identity provider did not sign you in: access_denied").waitFor();
  await page.context().close();
});
