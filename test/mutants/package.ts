/** Bugs in who should run what, and when it may go elsewhere. */
import type { Mutant } from './mutant.js';

export const PACKAGE: readonly Mutant[] = [
  {
    name: 'halt-and-start-overlap',
    plants: 'a package is started elsewhere once its holder was told to halt it, done or not',
    edits: [
      {
        file: 'src/membership/proposal.ts',
        find: "  if (node === world.self.name) return ordered === 'halt' && isSynced(state) && world.jobs[name]?.held === false;\n  if ((ordered === 'halt' && hasLetGo(post, node, name)) ||",
        replace:
          "  if (node === world.self.name) return ordered === 'halt' && isSynced(state);\n  if ((ordered === 'halt' && (hasLetGo(post, node, name) || true)) ||",
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'moves-with-stops',
    seed: 2,
  },
  {
    name: 'let-go-not-heard',
    plants: 'that a holder let go counts for nothing: only the end of its lease does',
    edits: [
      {
        file: 'src/membership/proposal.ts',
        find: "  if ((ordered === 'halt' && hasLetGo(post, node, name)) ||",
        replace: "  if ((ordered === 'halt' && hasLetGo(post, node, name) && node === '') ||",
      },
    ],
    caughtBy: ['L1', 'L3', 'L4', 'L5'],
    aim: 'plain-moves',
    seed: 3,
  },
  {
    name: 'epoch-kept',
    plants: 'a package that goes to another node keeps its epoch',
    edits: [
      {
        file: 'src/membership/proposal.ts',
        find: '  if (present?.node === node || isFree(world, state, now, name)) return { node, epoch, state: ordered };',
        replace:
          '  if (present?.node === node || isFree(world, state, now, name)) return { node, epoch: present?.epoch ?? epoch, state: ordered };',
      },
    ],
    caughtBy: ['S4'],
    aim: 'plain-moves',
    seed: 1,
  },
  {
    name: 'failback-at-once',
    plants: 'a package goes home the moment that its primary node is there',
    edits: [
      {
        file: 'src/package/placement.ts',
        find: '  if (!picture.lasts(`home-fit ${candidate.name} ${run}`, 5 * picture.nodeTimeoutMs)) return null;',
        replace: '  picture.lasts(`home-fit ${candidate.name} ${run}`, 5 * picture.nodeTimeoutMs);',
      },
    ],
    caughtBy: ['L6', 'S10'],
    aim: 'home-comes-and-goes',
    seed: 1,
  },
  {
    name: 'dead-holder-keeps-it',
    plants: 'a package of a node that is lost stays there',
    edits: [
      {
        file: 'src/membership/proposal.ts',
        find: '  return now >= Math.max(leaseBound(post, node), silentAt(world, state, post, node));',
        replace: '  return now < 0 * Math.max(leaseBound(post, node), silentAt(world, state, post, node));',
      },
    ],
    caughtBy: ['L1'],
    aim: 'holder-dead',
    seed: 2,
  },
];
