/**
 * Dialogues as text. A difference is to be understood first; `BATON_GOLDEN=1 npx vitest run test/membership/golden`
 * then writes them anew. Of what is said again and again only what is new is told; times are the arena's milliseconds.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { ARBITER } from '../../src/membership/document.js';
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
