/** All cases, the quick ones first. */
import { demand, type Case } from './case.js';

const LAB_WITHIN_MS = 240_000;

/** A story of the kernel lab, inside the guest. */
function story(name: string, title: string): Case {
  return {
    name,
    title,
    run: async (stand) => {
      const machine = await stand.boot('guest');
      const { code, text } = await machine.run(`node bin/baton.js scenario run ${name} --on kernel`, LAB_WITHIN_MS);
      demand(code === 0 && text.includes('passed'), text);
      stand.tell(text.trim().split('\n').at(-1)!);
    },
  };
}

const boot: Case = {
  name: 'boot',
  title: 'the guest boots, and has what the other cases need',
  run: async (stand) => {
    const from = performance.now();
    const machine = await stand.boot('guest');
    stand.tell(
      `ready after ${((performance.now() - from) / 1000).toFixed(1)} s, its own clock ${machine.readyAfterS} s`,
    );
    for (const kind of ['bond', 'team', 'veth', 'bridge', 'macvlan'])
      await machine.must(`ip link add a0 type ${kind} && ip link del a0`);
    await machine.must('ip link add d0 type dummy && ip link add link d0 name d0.7 type vlan id 7 && ip link del d0');
    const asked = performance.now();
    stand.tell((await machine.must('node bin/baton.js --version')).trim());
    stand.tell(`a command takes ${((performance.now() - asked) / 1000).toFixed(1)} s`);
  },
};

export const CASES: readonly Case[] = [
  boot,
  story('lag-port', 'a bond loses one port, then the other'),
  story('lag-team', 'a team loses one port, then the other'),
];
