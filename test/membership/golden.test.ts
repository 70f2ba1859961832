/**
 * Dialogues as text. A difference is to be understood first; `BATON_GOLDEN=1 npx vitest run test/membership/golden`
 * then writes them anew. Of what is said again and again only what is new is told; times are the arena's milliseconds.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { ARBITER } from '../../src/membership/document.js';
import type { SimNode } from './sim-node.js';
import { Arena, type Mode } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

function golden(name: string, story: string, arena: Arena): void {
  const path = fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url));
  const text = `${story}\n\n${arena.log.join('\n')}\n`;
  if (process.env['BATON_GOLDEN'] || !existsSync(path)) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

function begin(mode: Mode, tells = true): Arena {
  return new Arena(5, { mode, calm: true, packages: ['web'], tells });
}

/** Up to the first placement, untold. */
function running(mode: Mode): Arena {
  const arena = begin(mode);
  arena.runUntil(4000);
  expect(arena.runsAll()).toBe(true);
  arena.log.length = 0;
  return arena;
}

function cutOff(arena: Arena, name: string): void {
  for (const other of [...arena.names, ARBITER]) {
    if (other === name) continue;
    arena.cut.add(`${name}>${other}`);
    arena.cut.add(`${other}>${name}`);
  }
}

test('first formation and election', () => {
  const arena = begin('n3');
  arena.runUntil(1000);
  golden('formation', 'Three nodes with blank disks start together: formed, elected, the package placed.', arena);
});

test('formation with an arbiter', () => {
  const arena = begin('a2');
  arena.runUntil(1000);
  golden('formation-arbiter', 'Two blank nodes and an arbiter without a key.', arena);
});

test('the coordinator dies', () => {
  const arena = running('n3');
  arena.say('the coordinator loses its power');
  arena.coordinator()!.crash(true);
  arena.runUntil(5600);
  golden('coordinator-dies', 'Three nodes run; the coordinator loses its power.', arena);
  expect(arena.runsAll()).toBe(true);
});

test('a planned move', () => {
  const arena = running('n3');
  arena.say('web is to move');
  arena.coordinator()!.moves.add('web');
  arena.runUntil(4600);
  golden('planned-move', 'Three nodes run; the package moves: halt, let go, run elsewhere.', arena);
  expect(arena.runsAll()).toBe(true);
});

test('a split and a merger', () => {
  const arena = running('n3');
  const lonely = arena.coordinator()!;
  arena.say(`${lonely.name}, the coordinator, is cut off`);
  cutOff(arena, lonely.name);
  arena.runUntil(7000);
  expect(arena.runsAll()).toBe(true);
  arena.say('the nets are whole again');
  arena.cut.clear();
  arena.runUntil(8000);
  golden('split-and-merger', 'Three nodes run; the coordinator is cut off for three seconds.', arena);
  expect(arena.runsAll()).toBe(true);
});

test('nodes that hear each other no more and the arbiter well: the coordinator stays', () => {
  const arena = running('a2');
  const before = arena.coordinator()!.name;
  arena.say('the nodes are cut from each other');
  arena.cut.add('alpha>beta').add('beta>alpha');
  arena.runUntil(6500);
  golden('split-with-arbiter', 'Two nodes and an arbiter; the nodes are cut from each other.', arena);
  expect(arena.coordinator()?.name).toBe(before);
  expect(arena.runsAll()).toBe(true);
});

/** In the story with an arbiter what it is asked is not told. */
describe('voters that change', () => {
  /** A node that is neither coordinator nor holder, so that nothing else happens. */
  function idle(arena: Arena): SimNode {
    const busy = [arena.coordinator()!.name, arena.holder('web')];
    return arena.nodes.find(({ name }) => !busy.includes(name))!;
  }

  test('shrink: of four one is lost; grow: it returns', () => {
    const arena = running('n4');
    const lost = idle(arena);
    arena.say(`${lost.name} loses its power`);
    lost.crash(true);
    arena.runUntil(6500);
    golden('voters-shrink', 'Four nodes run; one loses its power: the three others are the voters.', arena);
    arena.log.length = 0;
    arena.say(`${lost.name} is back`);
    lost.start();
    arena.runUntil(8500);
    golden('voters-grow', 'Three of four nodes are the voters; the fourth comes back.', arena);
  });

  test('remove: a node that is off is given up by an operator', () => {
    const arena = running('n3');
    const lost = idle(arena);
    lost.crash(true);
    arena.runUntil(6500);
    arena.log.length = 0;
    arena.say(`${lost.name} is removed`);
    arena.removed = [lost.name];
    arena.runUntil(8500);
    golden('voters-remove', 'Two of three nodes run; the third is removed by an operator.', arena);
  });

  test('replace: a node comes back with an empty disk', () => {
    const arena = running('n3');
    const lost = idle(arena);
    arena.say(`${lost.name} is replaced by an empty node of the same name`);
    lost.crash(true, true);
    arena.after(300, () => lost.start());
    arena.runUntil(6500);
    golden('voters-replace', 'Three nodes run; one is replaced: another storage id is another voter.', arena);
  });

  test('join: all go over to a cluster file with a node more', () => {
    const arena = running('n3');
    arena.file([...arena.names, 'delta']);
    arena.say('delta starts with the new file');
    arena.node('delta').start();
    const last = arena.coordinator()!;
    for (const [i, node] of [
      idle(arena),
      ...arena.nodes.filter((it) => it !== last && it !== idle(arena)),
      last,
    ].entries()) {
      if (node.name === 'delta') continue;
      arena.after(200 + 2500 * i, () => {
        arena.say(`${node.name} is restarted with the new file`);
        node.crash(false);
        node.cluster = arena.cluster;
        arena.after(100, () => node.start());
      });
    }
    arena.runUntil(15_000);
    golden(
      'voters-join',
      'Three nodes run; one after another is restarted with a cluster file that has a fourth.',
      arena,
    );
    expect(arena.runsAll()).toBe(true);
  });

  test('a new coordinator finishes what the former one began', () => {
    const arena = running('n5');
    const first = arena.coordinator()!;
    const lost = arena.nodes.filter(({ name }) => name !== first.name && name !== arena.holder('web')).slice(0, 2);
    for (const node of lost) node.crash(true);
    arena.atJoint = () =>
      arena.after(3, () => {
        arena.say(`${first.name}, the coordinator, loses its power`);
        first.crash(true);
        lost[0]!.start();
      });
    arena.runUntil(9500);
    golden(
      'voters-finished',
      'Three of five nodes run; the coordinator dies as its joint document is under way.',
      arena,
    );
    expect(arena.coordinator()!.state.record.document!.voters.previous).toBeUndefined();
  });

  test('keep: the survivor of two needs the arbiter no more', () => {
    const arena = running('k2');
    const lost = arena.nodes.find((node) => node !== arena.coordinator())!;
    arena.say(`${lost.name} loses its power`);
    lost.crash(true);
    arena.runUntil(7000);
    golden('voters-keep', 'Two nodes and an arbiter, onArbiterLoss keep; one node loses its power.', arena);
    expect(arena.runsAll()).toBe(true);
  });
});
