/** Fencing (MEMBERSHIP C6c, C4): who is shut when, what that frees, and how it is opened again. */
import { describe, expect, test, vi } from 'vitest';
import type { Action } from '../../src/action.js';
import type { Cluster, FenceAgent, Package } from '../../src/config/cluster.js';
import type { AgentOutcome } from '../../src/input.js';
import * as member from '../../src/membership/member.js';
import { documentOf, on, Stand, v, type StandOptions } from './stand.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

function agent(command: string, change: Partial<FenceAgent> = {}): FenceAgent {
  return {
    nodes: ['beta', 'gamma'],
    run: { command: [command] },
    action: 'off',
    unfence: 'heard',
    timeoutMs: 10_000,
    ...change,
  };
}

const FIRST = agent('/sbin/first');
const SECOND = agent('/sbin/second');
const OK: AgentOutcome = { how: 'exited', code: 0 };
const FAILED: AgentOutcome = { how: 'exited', code: 1 };

const ADDRESS = {
  kind: 'address',
  address: { family: 4, address: '10.77.0.100', prefixLength: 32 },
  net: 'public',
  source: false,
} as const;
type Resources = Package['resources'];

interface Options extends StandOptions {
  agents?: FenceAgent[];
  fence?: Cluster['fence'];
  resources?: Resources;
}

/** alpha is coordinator in term 1, web is on beta as 1.2, whose last answer is of now. */
function stand({ agents = [FIRST], fence = 'gate', resources = [ADDRESS], ...options }: Options = {}): Stand {
  const made = Stand.coordinator({
    ...options,
    change: (cluster) => ({
      ...cluster,
      fence,
      fenceAgents: agents,
      packages: cluster.packages.map((each) => ({ ...each, resources })),
    }),
  });
  const out: Action[] = [];
  member.propose(
    made.world,
    made.state,
    made.now,
    { placements: { web: { node: 'beta', state: 'run' } } },
    'test',
    out,
  );
  made.actions.push(...out);
  made.sync();
  made.hearAnswer('gamma', 2, v(1, 2));
  made.hearAnswer('beta', 2, v(1, 2));
  return made;
}

type Run = Extract<Action, { kind: 'run-agent' }>;
const runs = (one: Stand): Run[] => one.actions.filter((action) => action.kind === 'run-agent');
const released = (one: Stand): boolean => member.isReleased(one.world, one.state, one.now, 'web');
const grants = (one: Stand): number => one.messages('beta', 'grant').length;
const told = (one: Stand): string[] =>
  one.journal.filter(({ event }) => /fencing$/.test(event)).map(({ event, to }) => `${event} ${to}`);

/** gamma answers each round, beta is silent, and `lost` once that is so. */
function silence(one: Stand, forMs: number, node = 'beta'): Stand {
  const until = one.now + forMs;
  const since = one.now;
  for (let sequence = 100; one.now < until; sequence++) {
    one.wakeUntil(Math.min(until, one.now + 100));
    one.hearAnswer('gamma', sequence + since, one.state.durable!.document!.version);
    if (one.now - since >= 1000) one.health.peers[node]!.health = 'lost';
    else if (one.now - since >= 500) one.health.peers[node]!.health = 'suspect';
  }
  return one.wakeUntil(until);
}

function exit(one: Stand, outcome: AgentOutcome, output = ''): Stand {
  one.take({ kind: 'agent-exited', id: runs(one).at(-1)!.id, outcome, output, tookMs: 5 });
  return one;
}

describe('when a node is shut', () => {
  test('C6c: not before it is lost, and not one without packages', () => {
    const one = stand();
    silence(one, 900);
    expect(runs(one)).toEqual([]);
    silence(one, 300);
    expect(runs(one).map(({ command }) => command)).toEqual([['/sbin/first', 'off', 'beta']]);
    const idle = stand();
    silence(idle, 2000, 'gamma');
    expect(runs(idle)).toEqual([]);
  });

  test('C6c: only a coordinator with a majority does', () => {
    const one = stand();
    one.health.peers['beta']!.health = 'lost';
    one.health.peers['gamma']!.health = 'lost';
    one.wakeUntil(one.now + 5000);
    expect(one.role).not.toBe('coordinator');
    expect(runs(one)).toEqual([]);
  });

  test('one that said goodbye is not shut', () => {
    const one = stand();
    one.health.peers['beta']!.health = 'left';
    for (let i = 0; i < 20; i++) {
      one.wakeUntil(one.now + 100);
      one.hearAnswer('gamma', 100 + i, v(1, 2));
    }
    expect(runs(one)).toEqual([]);
    expect(released(one)).toBe(true);
  });

  test('one that beats but does not answer is shut only where its package must wait for that', () => {
    const mute = (options: Options): Stand => {
      const one = stand(options);
      for (let i = 0; i < 15; i++) {
        one.wakeUntil(one.now + 100);
        one.hearAnswer('gamma', 100 + i, v(1, 2));
      }
      return one;
    };
    expect(runs(mute({}))).toEqual([]);
    expect(runs(mute({ fence: 'none' }))).toHaveLength(1);
  });

  test('agents of the node are tried in the order of the file until one succeeds', () => {
    const one = stand({ agents: [agent('/sbin/other', { nodes: ['gamma'] }), FIRST, SECOND] });
    exit(silence(one, 1200), FAILED, 'no route to host');
    expect(runs(one).map(({ command }) => command[0])).toEqual(['/sbin/first', '/sbin/second']);
    exit(one, OK);
    expect(told(one)).toEqual(['fencing begun', 'fencing failed', 'fencing done']);
    expect(silence(one, 300).state.record.document?.fences).toEqual({ beta: { state: 'done', by: 2 } });
  });

  test('a round of failures is an alarm, and is tried again, twice as long after each', () => {
    const one = stand();
    const at: number[] = [];
    silence(one, 1200);
    for (let i = 0; i < 4; i++) {
      at.push(one.now);
      exit(one, FAILED, 'usage\nno route to host\n');
      const before = runs(one).length;
      while (runs(one).length === before) silence(one, 100);
    }
    expect(one.state.alarms['fencing-failed']?.text).toMatch(/first ended with exit code 1: no route to host/);
    const waits = at.slice(1).map((moment, i) => moment - at[i]!);
    expect(waits[0]).toBeGreaterThanOrEqual(2000);
    expect(waits[1]).toBeGreaterThanOrEqual(4000);
    expect(waits[2]).toBeGreaterThanOrEqual(8000);
    exit(one, OK);
    expect(one.state.alarms['fencing-failed']).toBeUndefined();
  });

  test('a program of which nothing more is heard counts as timed out', () => {
    const one = silence(stand({ agents: [FIRST, SECOND] }), 1200);
    silence(one, 11_700);
    expect(runs(one)).toHaveLength(1);
    silence(one, 500);
    expect(runs(one)).toHaveLength(2);
  });
});

describe('what it frees', () => {
  test('C6c: success frees the package at once; without agents or with plain addresses the lease does', () => {
    expect(released(silence(stand({ agents: [] }), 1200))).toBe(true);
    expect(released(silence(stand(), 1200))).toBe(true);
    const waiting = silence(stand({ fence: 'none' }), 5000);
    expect(released(waiting)).toBe(false);
    expect(released(exit(waiting, OK))).toBe(true);
  });

  test.each<[string, Options]>([
    ['fence: lifetime', { fence: 'lifetime' }],
    ['fence: none', { fence: 'none' }],
    ['a MAC of its own', { resources: [{ ...ADDRESS, mac: '02:00:5e:00:01:64' }] }],
    [
      'another resource',
      { resources: [ADDRESS, { kind: 'systemd', unit: 'nginx.service', everyMs: 1, timeoutMs: 1, restarts: 0 }] },
    ],
  ])('%s: the package waits for the fence', (_, options) => {
    const one = silence(stand(options), 3000);
    expect(released(one)).toBe(false);
    expect(member.fenceAwaited(one.world, one.state, one.now, 'web')).toBe(
      'it waits until beta is shut by /sbin/first',
    );
    expect(released(exit(one, OK))).toBe(true);
  });

  test('failure: where the gate protects the package it goes by the end of the lease, elsewhere an operator vouches', () => {
    const mac = silence(stand({ resources: [{ ...ADDRESS, mac: '02:00:5e:00:01:64' }] }), 1200);
    expect(released(exit(mac, FAILED))).toBe(true);
    const bare = silence(stand({ fence: 'none' }), 1200);
    expect(released(exit(bare, FAILED))).toBe(false);
    expect(released(silence(bare, 60_000))).toBe(false);
    const out: Action[] = [];
    expect(member.vouchOff(bare.world, bare.state, bare.now, 'beta', out)).toBeNull();
    expect(released(bare)).toBe(true);
  });

  test('C6c: where there are no agents, too, what an operator vouched for is of its term', () => {
    const one = silence(stand({ agents: [] }), 500);
    expect(released(one)).toBe(false);
    expect(member.vouchOff(one.world, one.state, one.now, 'beta', [])).toBeNull();
    expect(released(one)).toBe(true);
    // beta is switched on again, and gets leases of gamma until just now.
    one.hearAppend('gamma', 2, 5);
    one.wakeUntil(one.now + 700);
    one.hearReply('gamma', { pre: true, term: 2 });
    one.hearReply('gamma', { term: 3, ageMs: 0 });
    one.hearAnswer('gamma', 200, v(3, 3));
    expect(one.role).toBe('coordinator');
    expect(released(one)).toBe(false);
  });

  test('an operator vouched where there are no agents: the mark goes when the node is back', () => {
    const one = silence(stand({ agents: [] }), 1500);
    member.vouchOff(one.world, one.state, one.now, 'beta', []);
    silence(one, 500);
    expect(one.state.record.document?.fences).toEqual({ beta: { state: 'done' } });
    one.hearWords('beta', { version: one.state.record.document!.version });
    for (let sequence = 300; sequence < 310; sequence++) {
      one.wakeUntil(one.now + 100);
      for (const node of ['beta', 'gamma']) one.hearAnswer(node, sequence, one.state.record.document!.version);
      one.hearWords('beta', {
        version: one.state.record.document!.version,
        jobs: { web: { state: 'halted', epoch: null, held: false } },
      });
    }
    expect(one.state.record.document?.fences).toBeUndefined();
  });

  test('C6c: whoever coordinates is not to be shut any more, whatever its predecessor had begun', () => {
    const document = { ...documentOf(v(1, 2), on('beta', v(1, 2))), fences: { alpha: { state: 'due' as const } } };
    const one = new Stand({
      record: { term: 1, document },
      change: (cluster) => ({ ...cluster, fenceAgents: [FIRST] }),
    });
    one.wakeUntil(2300);
    one.hearReply('gamma', { pre: true, term: 1 });
    one.hearReply('gamma', { term: 2, ageMs: 0 });
    one.hearAnswer('gamma', 1, v(2, 3));
    one.wakeUntil(one.now + 150);
    expect(one.role).toBe('coordinator');
    expect(one.state.record.document?.fences).toBeUndefined();
  });

  test('C6c: a new coordinator frees it before the older leases are surely over', () => {
    // beta was heard until now by its successor, which had answered it just before.
    const document = documentOf(v(1, 2), on('beta', v(1, 2)));
    const successor = (agents: FenceAgent[]): Stand => {
      const one = new Stand({
        record: { term: 1, document },
        change: (cluster) => ({ ...cluster, fenceAgents: agents }),
      });
      one.to(1700).hearAppend('beta', 1, 5, undefined, v(1, 2));
      one.wakeUntil(2300);
      one.health.peers['beta']!.health = 'suspect';
      one.hearReply('gamma', { pre: true, term: 1 });
      one.hearReply('gamma', { term: 2, ageMs: 0 });
      one.hearAnswer('gamma', 1, v(2, 3));
      one.wakeUntil(one.now + 150);
      one.hearAnswer('gamma', 2, v(2, 3));
      one.wakeUntil(one.now + 10);
      return one;
    };
    const off = successor([FIRST]);
    expect(runs(off)).toHaveLength(1);
    expect(released(off)).toBe(false);
    expect(released(exit(off, OK))).toBe(true);
    // One that was rebooted may have got a lease of the older coordinator since, until that has no majority any more.
    const reboot = successor([agent('/sbin/first', { action: 'reboot' })]);
    expect(released(exit(reboot, OK))).toBe(false);
    const post = reboot.state.post;
    reboot.to(post.role === 'coordinator' ? post.oldLeasesEnd : 0);
    expect(released(reboot)).toBe(true);
  });
});

describe('grants', () => {
  test('C4, C6c: none while the node is being shut', () => {
    const one = silence(stand({ fence: 'none' }), 1200);
    const before = grants(one);
    one.hearAnswer('beta', 5000, v(1, 2), ['web']);
    expect(grants(one)).toBe(before);
    expect(released(exit(one, OK))).toBe(true);
  });

  test('C4: one that is heard again while it is being shut is told of as that: nothing is to go there (seed 204080)', () => {
    const one = silence(stand({ fence: 'none' }), 1200);
    one.health.peers['beta']!.health = 'alive';
    const isBeingShut = (): boolean => member.view(one.world, one.state, {} as never, one.now, 'beta').isBeingShut;
    expect(isBeingShut()).toBe(true);
    exit(one, FAILED);
    expect(isBeingShut()).toBe(false);
  });

  test('C6c: a success that was begun before the last grant does not count', () => {
    const one = silence(exit(silence(stand({ fence: 'none' }), 1200), OK), 1000);
    expect(released(one)).toBe(true);
    const before = grants(one);
    one.hearAnswer('beta', 5000, v(1, 2), ['web']);
    expect(grants(one)).toBe(before + 1);
    expect(released(one)).toBe(false);
  });

  test('C4, C6c: none upon what is heard right after success, for the node may have sent it before', () => {
    const one = exit(silence(stand({ fence: 'none' }), 1200), OK);
    const before = grants(one);
    one.hearAnswer('beta', 5000, v(1, 2), ['web']);
    expect(grants(one)).toBe(before);
    expect(released(one)).toBe(true);
  });

  test('C6c: a node that had a lease since, and is lost again, is shut again', () => {
    const one = silence(exit(silence(stand({ fence: 'none' }), 1200), OK), 1000);
    one.hearAnswer('beta', 5000, v(1, 2), ['web']);
    silence(one, 3000);
    expect(runs(one)).toHaveLength(2);
    expect(released(one)).toBe(false);
  });

  test('one that is heard again before an agent had success is not shut', () => {
    const one = exit(silence(stand(), 1200), FAILED);
    silence(one, 300);
    one.hearAnswer('beta', 5000, v(1, 2), ['web']);
    for (let i = 0; i < 60; i++) {
      one.wakeUntil(one.now + 100);
      for (const node of ['beta', 'gamma']) one.hearAnswer(node, 6000 + i, one.state.durable!.document!.version);
    }
    expect(runs(one).filter(({ command }) => command.includes('off'))).toHaveLength(1);
    expect(told(one)).toContain('fencing given-up');
  });
});

describe('another coordinator', () => {
  test('what runs is ended with the coordinatorship', () => {
    const one = silence(stand({ fence: 'none' }), 1200);
    one.hearAppend('gamma', 2, 1);
    const [{ id }] = runs(one) as [Run];
    expect(one.actions.filter(({ kind }) => kind === 'end-agent')).toEqual([{ kind: 'end-agent', id }]);
    exit(one, OK);
    expect(one.state.dropped).toMatchObject({ 'agent-unknown': 1 });
  });

  test('the next one begins anew, also after the packages were moved', () => {
    const document = { ...documentOf(v(1, 3), on('alpha', v(1, 3))), fences: { beta: { state: 'due' as const } } };
    const one = Stand.coordinator({
      record: { term: 0, document },
      change: (cluster) => ({ ...cluster, fenceAgents: [FIRST] }),
    });
    one.health.peers['beta'] = { health: 'lost', since: 0, heardAt: 0, incarnation: 'beta-1' };
    silence(one, 2000, 'beta');
    expect(runs(one)).toHaveLength(1);
  });
});

describe('opening again', () => {
  /** web is on alpha, beta was shut, and is heard again; `held`: what it says that it has. */
  function back(mark: { state: 'due' | 'done'; by?: number }, agents: FenceAgent[], held: boolean): Stand {
    const document = { ...documentOf(v(0, 3), on('alpha', v(0, 3))), fences: { beta: mark } };
    const one = Stand.coordinator({
      record: { document },
      change: (cluster) => ({ ...cluster, fenceAgents: agents }),
    });
    const epoch = v(0, 2);
    one.hearWords('beta', { jobs: { web: { state: held ? 'running' : 'halted', epoch, held } } });
    for (let i = 0; i < 10; i++) {
      one.wakeUntil(one.now + 100);
      one.hearAnswer('beta', 100 + i, one.state.durable!.document!.version);
    }
    return one;
  }

  test('what off has shut is opened by on, once the node is heard and has let go of all', () => {
    expect(runs(back({ state: 'done', by: 0 }, [FIRST], true))).toEqual([]);
    const one = back({ state: 'done', by: 0 }, [FIRST], false);
    expect(runs(one).map(({ command }) => command)).toEqual([['/sbin/first', 'on', 'beta']]);
    exit(one, OK);
    one.wakeUntil(one.now + 300);
    expect(one.state.record.document?.fences).toBeUndefined();
    expect(told(one)).toEqual(['unfencing begun', 'unfencing done']);
  });

  test.each(['off', 'reboot'] as const)(
    'C6c: %s of a node that is heard again meanwhile is done once, not for ever',
    (action) => {
      const one = silence(stand({ agents: [agent('/sbin/slow', { action })] }), 1200);
      one.health.peers['beta']!.health = 'alive';
      for (let i = 0; i < 10; i++) {
        one.wakeUntil(one.now + 100);
        for (const node of ['beta', 'gamma']) one.hearAnswer(node, 6000 + i, one.state.durable!.document!.version);
      }
      one.hearWords('beta', { jobs: { web: { state: 'halted', epoch: v(1, 2), held: false } } });
      exit(one, OK);
      silence(one, 3000);
      expect(runs(one)).toHaveLength(1);
      expect(told(one)).toEqual(['fencing begun', 'fencing done']);
    },
  );

  test('what was rebooted is open, and manual waits for an operator', () => {
    const rebooted = back({ state: 'done', by: 0 }, [agent('/sbin/first', { action: 'reboot' })], false);
    rebooted.wakeUntil(rebooted.now + 300);
    expect(runs(rebooted)).toEqual([]);
    expect(rebooted.state.record.document?.fences).toBeUndefined();
    const manual = back({ state: 'done', by: 0 }, [agent('/sbin/first', { unfence: 'manual' })], false);
    expect(runs(manual)).toEqual([]);
    const out: Action[] = [];
    expect(member.openAgain(manual.world, manual.state, manual.now, 'beta', out)).toBeNull();
    expect(out.filter(({ kind }) => kind === 'run-agent')).toHaveLength(1);
  });

  test('C6c: one that an operator opened has time to boot, and is shut again only if it was heard since', () => {
    const opened = (): Stand => {
      const one = silence(exit(silence(stand(), 1200), OK), 1000);
      expect(member.openAgain(one.world, one.state, one.now, 'beta', one.actions)).toBeNull();
      return silence(exit(one, OK), 3000);
    };
    const fences = (one: Stand): string[] => told(one).filter((word) => word === 'fencing begun');
    const booting = opened();
    expect(booting.state.record.document?.fences).toBeUndefined();
    expect(fences(booting)).toHaveLength(1);
    expect(fences(silence(booting, 301_000))).toHaveLength(2);
    const back = opened();
    back.health.peers['beta'] = { health: 'alive', since: back.now, heardAt: back.now, incarnation: 'beta-2' };
    for (let i = 0; i < 10; i++) {
      back.wakeUntil(back.now + 100);
      for (const node of ['beta', 'gamma']) back.hearAnswer(node, 9000 + i, back.state.durable!.document!.version);
    }
    expect(fences(silence(back, 2000))).toHaveLength(2);
  });

  test('an agent that failed may have shut it all the same: it has its turn, and the one that succeeded must succeed', () => {
    const one = back({ state: 'done', by: 1 }, [FIRST, SECOND], false);
    exit(one, FAILED);
    expect(runs(one).map(({ command }) => command[0])).toEqual(['/sbin/first', '/sbin/second']);
    exit(one, FAILED);
    one.wakeUntil(one.now + 10);
    expect(one.state.alarms['unfencing-failed']?.text).toMatch(/^beta is not opened again/);
    expect(one.state.record.document?.fences).toBeDefined();
  });
});

test('quorum none: of two that are cut from each other the one that runs more shuts the other at once', () => {
  const lone = (placed: string): Stand => {
    const one = new Stand({
      mode: 's2',
      record: { term: 2, document: documentOf(v(2, 3), on(placed, v(2, 3)), ['alpha']) },
      change: (cluster) => ({ ...cluster, fenceAgents: [agent('/sbin/first', { nodes: ['alpha', 'beta'] })] }),
    });
    one.health.reaches = true;
    one.health.peers['beta'] = { health: 'alive', since: 0, heardAt: one.now, incarnation: 'beta-1' };
    one.wakeUntil(one.now + 10);
    one.health.peers['beta'].health = 'lost';
    return one.wakeUntil(one.now + 4000);
  };
  expect(runs(lone('alpha'))).toHaveLength(1);
  const second = lone('beta');
  expect(runs(second)).toEqual([]);
  expect(released(second)).toBe(false);
  second.wakeUntil(second.now + 3000);
  expect(runs(second)).toHaveLength(1);
  expect(released(exit(second, OK))).toBe(true);
});
