/**
 * What compiled tests need of vitest, for the guest: its own `expect`, and a runner that takes one file at a time. The real
 * runner takes minutes to start on an emulated processor.
 */
import { ASYMMETRIC_MATCHERS_OBJECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import { performance } from 'node:perf_hooks';
import * as chai from 'chai';

globalThis[ASYMMETRIC_MATCHERS_OBJECT] ??= Object.create(null);
for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = chai.expect;

const tests = [];
let hooks = { before: [], after: [], first: [], last: [] };

function declare(name, ...rest) {
  tests.push({ name, run: rest.find((it) => typeof it === 'function'), hooks });
}
export const it = Object.assign(declare, {
  each: (rows) => (name, run) => {
    for (const row of rows) {
      const given = [row].flat();
      let i = 0;
      declare(
        name.replace(/%s/g, () => String(given[i++])),
        () => run(...given),
      );
    }
  },
  skipIf: (condition) => (condition ? () => {} : declare),
  runIf: (condition) => (condition ? declare : () => {}),
  skip: () => {},
});
export const test = it;

function group(_name, ...rest) {
  const outer = hooks;
  hooks = Object.fromEntries(Object.entries(outer).map(([when, all]) => [when, [...all]]));
  rest.find((it) => typeof it === 'function')();
  hooks = outer;
}
export const describe = Object.assign(group, { skipIf: (condition) => (condition ? () => {} : group), skip: () => {} });

export const beforeEach = (run) => void hooks.before.push(run);
export const afterEach = (run) => void hooks.after.unshift(run);
export const beforeAll = (run) => void hooks.first.push(run);
export const afterAll = (run) => void hooks.last.unshift(run);

/** Runs those whose names match; tells each as one line, `ok NAME` or `failed NAME: WHY`. Resolves to the number of failures. */
export async function runTests(pattern) {
  const chosen = tests.filter(({ name }) => pattern.test(name));
  const once = new Set();
  let failures = 0;
  for (const { name, run, hooks: around } of chosen) {
    const from = performance.now();
    let wrong = null;
    try {
      for (const hook of around.first.filter((each) => !once.has(each))) {
        once.add(hook);
        await hook();
      }
      for (const hook of around.before) await hook();
      await run();
    } catch (error) {
      wrong = error;
    }
    for (const hook of around.after) await hook();
    const took = `${((performance.now() - from) / 1000).toFixed(1)} s`;
    console.log(wrong === null ? `ok ${name} (${took})` : `failed ${name}: ${wrong.stack ?? wrong}`);
    if (wrong !== null) failures++;
  }
  for (const hook of new Set(chosen.flatMap(({ hooks: around }) => around.last))) await hook();
  if (chosen.length === 0) console.log('failed: no test has such a name');
  return chosen.length === 0 ? 1 : failures;
}
