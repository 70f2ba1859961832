/** The gate and the reading of the kernel on 6.1: no owner flag. The kernel tests of this tree, compiled, inside. */
import { demand, type Case, type Stand } from './case.js';

const TESTS_WITHIN_MS = 560_000;

/**
 * By their names. Not those that repeat stops a hundred times, nor the one of 500 addresses: to write so many takes an emulated
 * processor longer than `renewLateMax`.
 */
const GATE =
  'is made closed|lets speak only|old neighbour entry|behind DNAT goes dark|may be its client|nft\\(8\\)|no table of others|put back, closed, after: flush ruleset|another list|leaves too little';

async function run(stand: Stand): Promise<void> {
  const machine = await stand.boot('guest');
  const { code, text } = await machine.run(
    `node tests.js ./dist/test/drivers/linux/gate.test.js '${GATE}'`,
    TESTS_WITHIN_MS,
  );
  for (const line of text.split('\n').filter((one) => one.startsWith('ok '))) stand.tell(line);
  demand(code === 0, text);
}

export const GATE_CASE: Case = { name: 'gate', title: "the gate's own kernel tests on this older kernel", run };
