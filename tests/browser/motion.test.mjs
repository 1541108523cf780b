// Animations: where they were designed, and none for users who prefer reduced motion.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, baseUrl, launch, open, roles, settled, signedIn } from "./lib/browser.mjs";

const alarms = {};
let browser, state;

before(async () => {
  browser = await launch();
  state = await signedIn(browser, roles.engineer);
  const page = await open(browser, { state });
  await page.goto(`${baseUrl}/app/`);
  const [{ id: machine_id }] = await api(page, "/machines?limit=1");
  for (const motion of ["no-preference", "reduce"]) {
    alarms[motion] = await api(page, "/alarms", { machine_id, severity: "info", message: "A noise at the gear" });
  }
  await page.context().close();
});
after(() => browser?.close());

// Visits pages with animations. Returns the animations that began (the element's class and the name of the animation or
// property) and the longest duration seen in any frame, milliseconds.
async function tour(motion) {
  const page = await open(browser, { motion, state });
  await page.addInitScript(() => {
    window.moved = [];
    window.longest = 0;
    const note = (event) => {
      const what = event.animationName ?? event.propertyName;
      for (const name of event.target.classList) window.moved.push(`${name} ${what}`);
    };
    addEventListener("animationstart", note);
    addEventListener("transitionrun", note);
    const look = () => {
      for (const animation of document.getAnimations()) {
        window.longest = Math.max(window.longest, animation.effect.getComputedTiming().duration);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route("**/api/alarms?*", async (route) => {
    await held;
    await route.continue();
  });
  // After two frames the animation has begun.
  const begun = () =>
    page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.goto(`${baseUrl}/app/alarms/${alarms[motion].id}`);
  await page.locator("main .bone").first().waitFor();
  await begun();
  answer();
  await settled(page);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  const acknowledge = page.locator(".drawer").getByRole("button", { name: "Acknowledge" });
  await acknowledge.hover();
  await begun();
  await acknowledge.click();
  await page.getByText("Alarm acknowledged.").waitFor();
  await begun();
  const seen = await page.evaluate(() => ({ moved: window.moved, longest: window.longest }));
  await page.context().close();
  return seen;
}

test("designed animations run", async () => {
  const { moved, longest } = await tour("no-preference");
  for (const what of ["bone breathe", "dot breathe", "drawer slide", "toast rise", "button background-color"]) {
    assert.ok(moved.includes(what), `«${what}» is not among ${[...new Set(moved)].join(", ")}`);
  }
  assert.ok(longest > 1_000, `${longest} ms`);
});

test("with reduced motion preferred nothing is animated", async () => {
  const { moved, longest } = await tour("reduce");
  assert.ok(longest <= 10, `something takes ${longest} ms`);
  assert.deepEqual(moved.filter((what) => what.startsWith("button ")), []);
});
