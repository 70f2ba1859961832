/** All cases, the quick ones first. */
import { CARRIER_CASE } from './carrier-case.js';
import type { Case } from './case.js';
import { FREEZE_CASE } from './freeze-case.js';
import { GATE_CASE } from './gate-case.js';
import { LAG_CASES } from './lag-case.js';

const boot: Case = {
  name: 'boot',
  title: 'the guest boots, and has what the other cases need',
  run: async (stand) => {
    const from = performance.now();
    const machine = await stand.boot('guest');
    stand.tell(
      `ready after ${((performance.now() - from) / 1000).toFixed(1)} s, its own clock ${machine.readyAfterS} s`,
    );
    for (const kind of ['bond', 'team', 'veth', 'bridge', 'vrf table 9'])
      await machine.must(`ip link add a0 type ${kind} && ip link del a0`);
    await machine.must(
      'ip link add d0 type dummy && ip link add link d0 name d0.7 type vlan id 7 && ip link add link d0 name m0 type macvlan && ip link del d0',
    );
    const asked = performance.now();
    stand.tell((await machine.must('node bin/baton.js --version')).trim().split('\n').at(-1)!);
    stand.tell(`a command takes ${((performance.now() - asked) / 1000).toFixed(1)} s`);
  },
};

export const CASES: readonly Case[] = [boot, ...LAG_CASES, CARRIER_CASE, FREEZE_CASE, GATE_CASE];
