/**
 * Every combination of up to three faults in the usual wirings. The whole table is judged by steady evidence; every
 * 97th case (every n-th with BATON_EXHAUSTIVE=n; all of them take a quarter of an hour) also runs through the real monitors of its nodes.
 */
import { describe, expect, it } from 'vitest';
import { Fabric, FAST } from './fabric.js';
import { cases, score, steady, tell, truth, type Case, type Conclusion } from './faults.js';

const STEP = Number(process.env['BATON_EXHAUSTIVE'] ?? 97);

const hasFault = (it: Case, kind: string): boolean => it.faults.some((fault) => fault.kind === kind);
const cardsOnly = (it: Case): boolean => !hasFault(it, 'trunk') && !hasFault(it, 'switch');
const nodesOf = (it: Case): number => Object.keys(it.nodes).length;

function live(it: Case): Conclusion {
  const targets = it.target ? { targets: ['10.77.0.254'] } : {};
  const fabric = new Fabric({ nodes: it.nodes, timing: FAST, side: it.side, ...targets });
  fabric.run(200);
  for (const fault of it.faults) fabric.inflict(fault);
  fabric.run(300);
  return fabric.verdicts();
}

describe.each([
  ['by steady evidence', steady, 1],
  ['through real monitors', live, STEP],
])('up to three faults, %s', (_, conclude, step) => {
  it(
    'with a target: nothing curable is missed, a switch is wrong only where the target died too',
    { timeout: 900_000 },
    () => {
      const total = score(every(cases(true, 3), step), conclude);
      expect(total.cases).toBe(Math.ceil(13374 / step));
      expect(total.missed.map(tell)).toEqual([]);
      expect(total.wrong.filter((it) => !hasFault(it, 'target') || it.faults.length < 3).map(tell)).toEqual([]);
      if (step === 1) expect(total.wrong.length).toBe(8);
    },
  );

  it(
    'without a target: every failure of up to two NICs is found where there are two nodes',
    { timeout: 900_000 },
    () => {
      const total = score(every(cases(false, 3), step), conclude);
      expect(total.cases).toBe(Math.ceil(10938 / step));
      const missed = total.missed.filter((it) => cardsOnly(it) && it.faults.length <= 2 && nodesOf(it) > 1);
      expect(missed.map(tell)).toEqual([]);
      expect(total.wrong.filter((it) => !hasFault(it, 'trunk')).map(tell)).toEqual([]);
    },
  );

  it('without a target: one node with two cards never guesses', { timeout: 900_000 }, () => {
    const alone = [...cases(false, 3)].filter((it) => nodesOf(it) === 1);
    for (const it of alone) {
      const condemned = Object.entries(conclude(it)).filter(([, verdict]) => verdict.startsWith('down'));
      expect(condemned, tell(it)).toEqual([]);
    }
  });
});

it('real monitors conclude what the steady evidence says', { timeout: 900_000 }, () => {
  for (const target of [true, false])
    for (const it of every(cases(target, 3), 3 * STEP)) {
      const { hears } = truth({ ...it, faults: [] });
      const expected = steady(it);
      // A NIC that never had anybody to hear is unproven, not isolated.
      for (const [key, others] of Object.entries(hears)) if (others.length === 0) delete expected[key];
      expect(live(it), tell(it)).toMatchObject(expected);
    }
});

function* every<T>(all: Iterable<T>, step: number): Generator<T> {
  let i = 0;
  for (const one of all) if (i++ % step === 0) yield one;
}
