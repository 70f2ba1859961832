/** The swarm of troubles: each seed has its own mix of them, then all is healed and everything must run again. */
import type { Ms } from '../../src/input.js';
import { ARBITER } from '../../src/membership/document.js';
import type { SimNode } from './sim-node.js';
import { Arena, Violation, type Mode } from './world.js';

const FURTHER = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];

const KINDS = [
  'pause',
  'pause',
  'kill',
  'crash',
  'part',
  'iso',
  'oneway',
  'move',
  'move',
  'lost',
  'disk-full',
  'arbiter-off',
  'arbiter-forgets',
  'cut-coordinator',
  'crash-coordinator',
  'pause-coordinator',
  'pause-holder',
  'split',
  'bounce',
  'split-then-cut',
  'kill-all',
  'cut-holder',
  'minority',
  'off',
  'off',
  'remove',
  'new-file',
  'arbiter-slow',
  'at-joint',
] as const;
type Kind = (typeof KINDS)[number];

const OF_VOTERS: Kind[] = [
  'off',
  'off',
  'off',
  'lost',
  'remove',
  'new-file',
  'at-joint',
  'at-joint',
  'crash-coordinator',
  'cut-coordinator',
  'cut-holder',
  'pause-holder',
  'arbiter-off',
  'arbiter-slow',
  'arbiter-forgets',
];

/** One seed from formation to healing. Throws a Violation. */
export function play(seed: number, mode?: Mode, verbose = false): Arena {
  const arena = new Arena(seed, { ...(mode && { mode }), verbose });
  arena.loss = arena.pick([0, 0, 0.02, 0.1, 0.3]);
  arena.duplication = arena.pick([0, 0.05, 0.3]);
  arena.slow = arena.pick([0, 0, 0.05, 0.3]);
  arena.slowDisks = arena.pick([0, 0, 0.02, 0.2]);
  const microPauses = arena.pick([0, 0, 0.0005, 0.003]);
  arena.at(2500, () => (arena.microPauses = microPauses));
  const endsAt = arena.pick([15e3, 25e3, 40e3]);
  // Two of them in a moment are a majority of disks, and then only force helps.
  const isRare = (kind: Kind): boolean => kind === 'lost' || kind === 'arbiter-forgets';
  const kinds = KINDS.filter((kind) => arena.random() < (isRare(kind) ? 0.3 : 0.5)).filter(
    (kind) => arena.hasArbiter || !kind.startsWith('arbiter'),
  );
  // So that there is the time to change the voters, again and again.
  const isOfVoters = arena.random() < 0.5;
  const gap = isOfVoters ? arena.pick([2500, 4000]) : arena.pick([300, 800, 2000, 4000]);
  const changing = OF_VOTERS.filter((kind) => arena.hasArbiter || !kind.startsWith('arbiter'));
  const drawn = isOfVoters ? changing : kinds.length > 0 ? kinds : (['crash', 'part'] as const);
  for (let t = 2500; t < endsAt; t -= Math.log(1 - arena.random()) * gap) {
    const at = t;
    arena.at(at, () => strike(arena, arena.pick(drawn)));
  }
  arena.at(endsAt, () => heal(arena));
  let runsAt: Ms | null = null;
  for (let t = endsAt + 20; t <= endsAt + 14_000; t += 20) {
    arena.runUntil(t);
    if (runsAt === null && arena.runsAll()) runsAt = t;
  }
  const runs = arena.runsAll();
  const isHelpless = arena.needsForce();
  if (!runs && !isHelpless) arena.bad('L1: not running after healing');
  // E10: a node that needs the arbiter waits after its host's start.
  const boundMs = arena.hasArbiter ? 12_000 : 8000;
  if (runs && runsAt !== null && runsAt - endsAt > boundMs && !isHelpless) arena.bad(`L1: took ${runsAt - endsAt} ms`);
  if (runs && !isHelpless) arena.judgeVoters();
  if (runsAt === null) arena.count('needs-force');
  else arena.stat['heal-ms'] = runsAt - endsAt;
  return arena;
}

function heal(arena: Arena): void {
  arena.healed = true;
  arena.cut.clear();
  arena.microPauses = 0;
  arena.arbiter.up = true;
  arena.diskFullTill = 0;
  arena.arbiterDelayTill = 0;
  arena.removed = [];
  arena.atJoint = null;
  for (const node of arena.nodes) {
    node.unpause();
    takeFile(arena, node);
    if (arena.names.includes(node.name)) node.start();
  }
}

/** The daemon is restarted with the newest cluster file, if it has another one; a node that is not in it stays off. */
function takeFile(arena: Arena, node: SimNode): void {
  if (node.cluster === arena.cluster) return;
  const runs = node.up;
  const isIn = arena.names.includes(node.name);
  if (runs) node.crash(!isIn);
  if (!isIn) return;
  node.cluster = arena.cluster;
  if (runs) arena.after(arena.uniform(20, 600), () => node.start());
}

/** Nodes change to another cluster file one after another: with a node more, a node less, or the same ones. */
function changeFile(arena: Arena): void {
  const { names, nodes } = arena;
  const next = arena.pick(['more', 'less', 'same'] as const);
  const spare = nodes.find((node) => !names.includes(node.name))?.name ?? FURTHER[nodes.length];
  if (next === 'more' && spare !== undefined) arena.file([...names, spare]);
  else if (next === 'less' && names.length > 3) arena.file(names.filter((name) => name !== names.at(-1)));
  else arena.file(names);
  const gap = arena.pick([100, 800, 2500]);
  for (const [i, node] of arena.nodes.entries())
    arena.after(i * gap, () => {
      if (arena.healed) return;
      takeFile(arena, node);
      if (node.starts === 0 && arena.names.includes(node.name)) node.start();
    });
}

function pairs(arena: Arena, isCut: (a: string, b: string) => boolean): string[] {
  const all = arena.hasArbiter ? [...arena.names, ARBITER] : arena.names;
  return all.flatMap((a) => all.filter((b) => a !== b && isCut(a, b)).map((b) => `${a}>${b}`));
}

function cut(arena: Arena, links: string[], forMs: Ms): void {
  const fresh = links.filter((link) => !arena.cut.has(link));
  for (const link of fresh) arena.cut.add(link);
  arena.after(forMs, () => fresh.forEach((link) => arena.cut.delete(link)));
}

function chosen(arena: Arena, kind: Kind): SimNode {
  const any = arena.pick(arena.nodes);
  if (kind.endsWith('-coordinator') || kind === 'bounce' || kind === 'minority') return arena.coordinator() ?? any;
  if (kind.endsWith('-holder')) {
    const holders = arena.nodes.filter((node) => node.up && Object.keys(node.addresses).length > 0);
    return holders.length > 0 ? arena.pick(holders) : any;
  }
  return any;
}

function strike(arena: Arena, kind: Kind): void {
  if (arena.healed) return;
  const node = chosen(arena, kind);
  const forMs = Math.exp(arena.uniform(Math.log(30), Math.log(6000)));
  arena.count(`fault ${kind}`);
  arena.say(`FAULT ${kind} ${node.name} ${Math.round(forMs)} ms`);
  const others = arena.nodes.filter((it) => it !== node);
  const back = (it: SimNode, ms: Ms): void =>
    arena.after(ms, () => {
      if (arena.names.includes(it.name) || it.cluster !== arena.cluster) it.start();
    });
  switch (kind) {
    case 'pause':
    case 'pause-coordinator':
    case 'pause-holder':
      return node.pause(forMs);
    case 'kill':
    case 'crash':
    case 'crash-coordinator':
    case 'lost':
      if (!node.up) return;
      node.crash(kind === 'lost' ? arena.random() < 0.5 : kind !== 'kill', kind === 'lost');
      return back(node, forMs);
    case 'part': {
      const group = new Set([...arena.names, ARBITER].filter(() => arena.random() < 0.5));
      const links = pairs(arena, (a, b) => group.has(a) !== group.has(b));
      return cut(arena, links, forMs);
    }
    case 'iso':
    case 'cut-coordinator':
    case 'cut-holder': {
      const links = pairs(arena, (a, b) => (a === node.name || b === node.name) && arena.random() < 0.9);
      return cut(arena, links, forMs);
    }
    case 'oneway': {
      const links = pairs(arena, () => arena.random() < 0.3);
      return cut(arena, links, forMs);
    }
    case 'split': {
      const links = pairs(arena, (a, b) => a !== ARBITER && b !== ARBITER);
      return cut(arena, links, forMs);
    }
    case 'split-then-cut': {
      const links = pairs(arena, (a, b) => a !== ARBITER && b !== ARBITER);
      cut(arena, links, 4000);
      return arena.after(arena.uniform(500, 1800), () => strike(arena, 'cut-coordinator'));
    }
    case 'bounce': {
      const links = pairs(arena, (a, b) => a === node.name || b === node.name);
      cut(arena, links, arena.uniform(800, 4000));
      for (const other of others) {
        if (!other.up) continue;
        other.crash(false);
        back(other, arena.uniform(5, 60));
      }
      return;
    }
    case 'minority': {
      const group = new Set([node.name]);
      const holders = others.filter((it) => Object.keys(it.addresses).length > 0);
      if (holders.length > 0) group.add(arena.pick(holders).name);
      const links = pairs(arena, (a, b) => group.has(a) !== group.has(b));
      return cut(arena, links, arena.uniform(1500, 4000));
    }
    case 'kill-all':
      for (const it of arena.nodes) {
        if (!it.up || arena.random() >= 0.8) continue;
        it.crash(false);
        back(it, arena.uniform(5, 300));
      }
      return;
    case 'move':
      return void arena.coordinator()?.moves.add(arena.pick(arena.packages));
    case 'disk-full':
      arena.diskFull = node.name;
      arena.diskFullTill = arena.t + forMs;
      return;
    case 'arbiter-off':
      if (!arena.arbiter.up) return;
      arena.arbiter.up = false;
      return arena.after(2 * forMs, () => (arena.arbiter.up = true));
    case 'off':
      if (!node.up) return;
      node.crash(true);
      return back(node, arena.uniform(1500, 9000));
    case 'remove': {
      const off = arena.nodes.filter((it) => !it.up);
      if (off.length === 0) return;
      const { name } = arena.pick(off);
      arena.removed = [...new Set([...arena.removed, name])];
      return arena.after(arena.uniform(1000, 8000), () => {
        arena.removed = arena.removed.filter((it) => it !== name);
      });
    }
    case 'new-file':
      if (arena.mode === 'n1' || arena.nodes.some((it) => it.up && it.cluster !== arena.cluster)) return;
      return changeFile(arena);
    case 'arbiter-slow':
      arena.arbiterDelayTill = arena.t + 2 * forMs;
      return;
    case 'at-joint': {
      const blow = arena.pick(['crash', 'kill', 'pause', 'cut', 'arbiter', 'other'] as const);
      arena.atJoint = (coordinator) =>
        arena.after(arena.uniform(0, 25), () => strikeAtJoint(arena, coordinator, blow, forMs));
      return;
    }
    case 'arbiter-forgets':
      if (arena.random() < 0.5) arena.arbiter.record = null;
      return;
  }
}

export function isViolation(error: unknown): error is Violation {
  return error instanceof Violation;
}

type JointBlow = 'crash' | 'kill' | 'pause' | 'cut' | 'arbiter' | 'other';

/** Between the joint document and the one that ends it. */
function strikeAtJoint(arena: Arena, coordinator: SimNode, blow: JointBlow, forMs: Ms): void {
  if (arena.healed) return;
  const other = arena.pick(arena.nodes.filter((node) => node !== coordinator));
  arena.count(`fault at-joint ${blow}`);
  arena.say(`FAULT at the joint document of ${coordinator.name}: ${blow}`);
  const struck = blow === 'other' ? other : coordinator;
  switch (blow) {
    case 'crash':
    case 'kill':
    case 'other':
      if (!struck.up) return;
      struck.crash(blow !== 'kill');
      return arena.after(forMs, () => struck.start());
    case 'pause':
      return coordinator.pause(forMs);
    case 'cut':
      return cut(
        arena,
        pairs(arena, (a, b) => a === coordinator.name || b === coordinator.name),
        forMs,
      );
    case 'arbiter':
      arena.arbiter.up = false;
      return arena.after(2 * forMs, () => (arena.arbiter.up = true));
  }
}
