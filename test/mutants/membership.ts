/** Bugs in who is the cluster: votes, documents, voters, the arbiter. */
import type { Mutant } from './mutant.js';

export const MEMBERSHIP: readonly Mutant[] = [
  {
    name: 'age-guessed',
    plants: 'after its start a voter takes for granted that it last answered a coordinator long ago',
    edits: [
      {
        file: 'src/membership/member.ts',
        find: '  state.heardAt = now;\n  state.answeredAt = now;\n  putOff(world, state, now);',
        replace: '  state.heardAt = now;\n  state.answeredAt = now - 5000;\n  putOff(world, state, now);',
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'others-restart',
    seed: 1,
  },
  {
    name: 'vote-not-synced',
    plants: 'what a node says leaves before what it depends on is on its disk',
    edits: [
      {
        file: 'src/membership/speech.ts',
        find: '  push(state, to, message, state.storeId);',
        replace: '  push(state, to, message, state.storedId);',
      },
    ],
    caughtBy: ['S1', 'S4', 'L3', 'S9', 'S11'],
    aim: 'promise-forgotten',
    seed: 11,
  },
  {
    name: 'old-document-elected',
    plants: 'who stands need not have the newest document',
    edits: [
      {
        file: 'src/membership/election.ts',
        find: '  return compareVersions(version, versionOf(state.record)) >= 0;',
        replace: '  return version !== null || state !== null;',
      },
    ],
    caughtBy: ['S1', 'S4', 'S9', 'S11'],
    aim: 'old-document',
    seed: 1,
  },
  {
    name: 'joint-skipped',
    plants: 'the voters change in one step, without the majority of those before',
    edits: [
      {
        file: 'src/membership/voters.ts',
        find: '  const voters = { next: [...wanted].sort(byName), previous: next };\n  post.why = reasons(world, state, post, document, wanted);\n  decide(state, now, post.why, voters, out);\n  putForward(state, post, { ...document, voters }, ',
        replace:
          '  const voters = { next: [...wanted].sort(byName), previous: next };\n  post.why = reasons(world, state, post, document, wanted);\n  decide(state, now, post.why, voters, out);\n  putForward(state, post, { ...document, voters: { next: voters.next } }, ',
      },
    ],
    caughtBy: ['S1', 'S4', 'S9', 'S11'],
    aim: 'voters-shrink',
    seed: 4,
  },
  {
    name: 'no-wait-after-election',
    plants: 'a new coordinator does not wait for the leases of the one before',
    edits: [
      {
        file: 'src/membership/election.ts',
        find: 'takePost(world, state, now, newest + grantedOverMs(world, document), out);',
        replace: 'takePost(world, state, now, Math.min(now, newest + grantedOverMs(world, document)), out);',
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'others-restart',
    seed: 1,
  },
  {
    name: 'given-away-early',
    plants: 'a package goes as soon as its holder is silent, whatever lease that may have',
    edits: [
      {
        file: 'src/membership/proposal.ts',
        find: '  return now >= Math.max(leaseBound(post, node), silentAt(world, state, post, node));',
        replace: '  return now >= silentAt(world, state, post, node);',
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'others-restart',
    seed: 1,
  },
  {
    name: 'grant-beyond-own-lease',
    plants: 'a coordinator grants whole leases, however little is left of its own',
    edits: [
      {
        file: 'src/membership/coordinator.ts',
        find: 'Math.min(leaseMs(timing), majorityLeaseEnd(world, state, post) - now)',
        replace: 'leaseMs(timing)',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'coordinator-and-holder',
    seed: 1,
  },
  {
    name: 'halt-claimed-early',
    plants: 'a package counts as let go of once that has begun',
    edits: [
      {
        file: 'src/membership/answer.ts',
        find: '  return packageNames(world).filter((name) => world.jobs[name]?.held ?? true);',
        replace:
          "  return packageNames(world).filter((name) => (world.jobs[name]?.held ?? true) && world.jobs[name]?.state !== 'halting');",
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'moves-with-stops',
    seed: 2,
  },
  {
    name: 'uncommitted-served',
    plants: 'a placement is served before it is known to be committed',
    edits: [
      {
        file: 'src/membership/lease.ts',
        find: 'const isGranted = lease.term === durable.version.term && compareVersions(epoch, lease.committed) <= 0;',
        replace: 'const isGranted = lease.term === durable.version.term;',
      },
    ],
    caughtBy: ['S1', 'S4', 'S9', 'S11'],
    aim: 'proposal-lost',
    seed: 1,
  },
  {
    name: 'answer-counted-on-arrival',
    plants: 'a coordinator counts its lease from when an answer came, not from when it asked',
    edits: [
      {
        file: 'src/membership/coordinator.ts',
        find: '  acked(post, voterKey({ name: node, storageId }), sentAt, version);',
        replace: '  acked(post, voterKey({ name: node, storageId }), now, version);',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'late-answers',
    seed: 1,
  },
  {
    name: 'other-term-answered',
    plants: 'the coordinator of a former term is answered under that term, and counts it',
    edits: [
      {
        file: 'src/membership/answer.ts',
        find: "    return say(state, node, {\n      kind: 'reply',\n      pre: true,\n      yes: false,\n      term: state.record.term,\n      storageId,\n      round: 0,\n      ageMs: 0,\n    });",
        replace:
          "    const [version, held] = [versionOf(state.durable), heldPackages(world)];\n    const own = nextSequence(world, state, now);\n    return say(state, node, { kind: 'answer', term, echo: { incarnation, sequence }, sequence: own, storageId, version, held });",
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'coordinator-cut-off',
    seed: 5,
  },
  {
    name: 'arbiter-id-reused',
    plants: 'an arbiter that lost its data is the same voter again',
    edits: [
      {
        file: 'src/membership/arbiter.ts',
        find: '  const storageId = drawWords(world, 4);\n',
        replace: "  const storageId = 'a'.repeat(32);\n",
      },
    ],
    caughtBy: ['S1', 'S2', 'L3', 'S9', 'S11'],
    aim: 'arbiter-forgets',
    seed: 1,
  },
  {
    name: 'arbiter-compare-skipped',
    plants: 'the arbiter takes a write, whatever was written since',
    edits: [
      {
        file: 'drivers/simulator/arbiter.ts',
        find: '        if (created !== String(key.created) || modified !== String(key.modified))',
        replace: '        if (created !== String(key.created) && modified === String(key.created))',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'split-through-arbiter',
    seed: 1,
  },
  {
    name: 'storage-id-reused',
    plants: 'a voter that lost its disk comes back as the voter that it was',
    edits: [
      {
        file: 'src/membership/durable.ts',
        find: '  state.record = { storageId: drawStorageId(world), term: 0,',
        replace:
          "  state.record = { storageId: (void drawStorageId, world.self.name.charCodeAt(0).toString(16).padStart(32, '0')), term: 0,",
      },
    ],
    caughtBy: ['S1', 'S2', 'S4', 'S9', 'S11'],
    aim: 'disk-lost-in-a-split',
    seed: 1,
  },
  {
    name: 'joint-for-ever',
    plants: 'a change of voters is never finished',
    edits: [
      {
        file: 'src/membership/voters.ts',
        find: '  if (document?.voters.previous === undefined || changeableDocument',
        replace: '  if (document?.voters.previous === undefined || document.version.revision > 0 || changeableDocument',
      },
    ],
    caughtBy: ['L5'],
    aim: 'disk-lost',
    seed: 1,
  },
  {
    name: 'other-storage-unseen',
    plants: 'voters are compared by their names alone: one with another storage id gets no vote',
    edits: [
      {
        file: 'src/membership/voters.ts',
        find: '  return voters.map(voterKey).sort().join(',
        replace: '  return namesOf(voters).sort().join(',
      },
    ],
    caughtBy: ['L5'],
    aim: 'disk-lost',
    seed: 1,
  },
];
