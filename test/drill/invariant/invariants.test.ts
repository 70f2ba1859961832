/** What must hold: each invariant sees the harm that it is for, and takes what is allowed for no harm. */
import { describe, expect, it } from 'vitest';
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Action, Step } from '../../../src/action.js';
import { ConfigGuard } from '../../../src/drill/invariant/config-guard.js';
import { FitTarget } from '../../../src/drill/invariant/fit-target.js';
import { ForeignState } from '../../../src/drill/invariant/foreign-state.js';
import { InquorateDark } from '../../../src/drill/invariant/inquorate-dark.js';
import { NoFlapping } from '../../../src/drill/invariant/no-flapping.js';
import { PlannedMove } from '../../../src/drill/invariant/planned-move.js';
import { RoutesKept } from '../../../src/drill/invariant/routes-kept.js';
import { ScriptsExclusive } from '../../../src/drill/invariant/scripts-exclusive.js';
import { StationaryStays } from '../../../src/drill/invariant/stationary-stays.js';
import { documentOf, on, v } from '../../membership/stand.js';
import { address, FakeFacts, machineOf, started, told } from './fake-facts.js';

const ALPHA = new Set(['alpha']);
const BOTH = new Set(['alpha', 'beta']);
const FLOATING = '10.77.0.100';

describe('S3 stationary stays', () => {
  const stand = () => {
    const facts = new FakeFacts();
    const rule = new StationaryStays(facts);
    facts.host('alpha').on['eth0']!.push(address('10.77.0.1'));
    facts.host('beta').on['eth0']!.push(address('10.77.0.2'));
    rule.changed(BOTH);
    return { facts, rule, alpha: facts.host('alpha') };
  };
  const add: Step = { do: 'add-address', nic: 'eth1', address: address('10.77.0.1') };
  const take: Step = { do: 'delete-address', nic: 'eth0', address: address('10.77.0.1') };

  it('an address of another node', () => {
    const { facts, rule } = stand();
    facts.host('beta').on['eth1']!.push(address('10.77.0.1'));
    rule.changed(BOTH);
    expect(facts.violations).toEqual(['S3: 10.77.0.1 of alpha is on beta.eth1']);
  });

  it('a switch has it on two NICs for a moment; longer is wrong', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth1']!.push(address('10.77.0.1'));
    rule.made('alpha', add);
    rule.changed(ALPHA);
    facts.pass(100);
    expect(facts.violations).toEqual([]);
    facts.pass(1000);
    expect(facts.violations).toEqual(['S3: 10.77.0.1 of alpha is on eth0 and eth1']);
  });

  it('a kernel that holds each call of the switch has it on two NICs for as long as it holds them (seed 20894)', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth1']!.push(address('10.77.0.1'));
    rule.made('alpha', add);
    rule.changed(ALPHA);
    for (let call = 1; call <= 5; call++) {
      alpha.heldMs += 200;
      facts.pass(200);
    }
    expect(facts.violations).toEqual([]);
    facts.pass(1000);
    expect(facts.violations).toEqual(['S3: 10.77.0.1 of alpha is on eth0 and eth1']);
  });

  it('hands that take it off everywhere', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth0']!.length = 0;
    rule.made('alpha', take);
    rule.changed(ALPHA);
    facts.pass(1000);
    expect(facts.violations).toEqual(['S3: 10.77.0.1 of alpha is on no NIC']);
  });

  it('what another program does, and what a daemon that sleeps cannot mend, is none of it', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth1']!.push(address('10.77.0.1'));
    rule.changed(ALPHA);
    facts.pass(5000);
    alpha.on['eth0']!.length = 0;
    alpha.on['eth1']!.length = 0;
    alpha.awakeSince = Infinity;
    rule.made('alpha', take);
    rule.changed(ALPHA);
    facts.pass(5000);
    expect(facts.violations).toEqual([]);
  });
});

describe('S6 foreign state untouched', () => {
  const stand = () => {
    const facts = new FakeFacts();
    const rule = new ForeignState(facts);
    const alpha = facts.host('alpha');
    alpha.on['eth0']!.push(address('10.77.0.1'), address('192.0.2.9'));
    alpha.settings['ipv4/conf/eth0/arp_ignore'] = '0';
    rule.stepping('alpha', started(), machineOf(facts));
    rule.changed(ALPHA);
    return { facts, rule, alpha };
  };
  const setting = (name: string, value: string): Step => ({ do: 'set-sysctl', nic: 'eth0', name, value });

  it.each<[string, Step]>([
    [
      'an address on a NIC that is not in the cluster file',
      { do: 'add-address', nic: 'eth9', address: address('192.0.2.1') },
    ],
    ['a setting that it has no business with', setting('ipv4/conf/eth0/forwarding', '1')],
    ['a card set down', { do: 'set-link', nic: 'eth0', up: false }],
    ['the MAC of a net that does not say follow', { do: 'set-mac', nic: 'eth0', mac: '02:00:00:00:00:01' }],
  ])('%s', (_, step) => {
    const { facts, rule } = stand();
    rule.made('alpha', step);
    expect(facts.violations).toHaveLength(1);
  });

  it('a foreign address that a switch loses; one that it moves is well', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth1'] = alpha.on['eth0']!.splice(0);
    rule.made('alpha', { do: 'delete-address', nic: 'eth0', address: address('192.0.2.9') });
    rule.changed(ALPHA);
    facts.pass(1000);
    expect(facts.violations).toEqual([]);
    alpha.on['eth1'] = [address('10.77.0.1')];
    rule.made('alpha', { do: 'delete-address', nic: 'eth1', address: address('192.0.2.9') });
    rule.changed(ALPHA);
    facts.pass(1000);
    expect(facts.violations).toEqual([expect.stringMatching(/alpha lost 192\.0\.2\.9\/24/)]);
  });

  it('a setting that an orderly stop does not put back', () => {
    const { facts, rule, alpha } = stand();
    const name = 'ipv4/conf/eth0/arp_ignore';
    alpha.settings[name] = '1';
    rule.made('alpha', setting(name, '1'));
    rule.stepping('alpha', { kind: 'stop-asked', how: 'stop' }, machineOf(facts));
    rule.stepped('alpha', { kind: 'woke' }, [{ kind: 'exit', code: 0 }]);
    expect(facts.violations).toEqual([`S6: alpha stopped and left ${name} at 1; it was 0`]);
  });

  it('not one of a net that is away, though another program put the address on its home once more (seed 206016)', () => {
    const stopped = (back: boolean): string[] => {
      const { facts, rule, alpha } = stand();
      const name = 'ipv4/conf/eth0/arp_ignore';
      alpha.settings[name] = '1';
      rule.made('alpha', setting(name, '1'));
      rule.made('alpha', { do: 'delete-address', nic: 'eth0', address: address('10.77.0.1') });
      if (back) rule.made('alpha', { do: 'add-address', nic: 'eth0', address: address('10.77.0.1') });
      rule.stepping('alpha', { kind: 'stop-asked', how: 'stop' }, machineOf(facts));
      rule.stepped('alpha', { kind: 'woke' }, [{ kind: 'exit', code: 0 }]);
      return facts.violations;
    };
    expect(stopped(false)).toEqual([]);
    expect(stopped(true)).toHaveLength(1);
  });
});

describe('S7 routes kept', () => {
  const DEFAULT = 'default via 10.77.0.254 dev';
  const OTHER = '10.9.0.0/16 via 10.77.0.253 dev';
  const stand = () => {
    const facts = new FakeFacts();
    const rule = new RoutesKept(facts);
    const alpha = facts.host('alpha');
    alpha.route(`${DEFAULT} eth0`, `${OTHER} eth0`);
    rule.changed(ALPHA);
    facts.pass(1000);
    alpha.dark.add('eth0');
    rule.changed(ALPHA);
    rule.journalled(told(facts, 'alpha', { event: 'switch-started', net: 'public' }));
    rule.stepped('alpha', { kind: 'woke' }, [{ kind: 'change-host', id: 1, steps: [] }]);
    const moved = (...routes: string[]): void => {
      alpha.route(...routes);
      rule.made('alpha');
      rule.changed(ALPHA);
    };
    const end = (...routes: string[]): string[] => {
      moved(...routes);
      rule.journalled(told(facts, 'alpha', { event: 'switch-done', net: 'public', to: 'eth1' }));
      return facts.violations;
    };
    return { facts, rule, alpha, moved, end };
  };

  it('the same routes by another device', () => {
    expect(stand().end(`${DEFAULT} eth1`, `${OTHER} eth1`)).toEqual([]);
  });

  it('a route that is lost, one that is new', () => {
    const where = 'S7: after the switch of public to eth1 alpha';
    expect(stand().end(`${DEFAULT} eth1`)).toEqual([`${where} lacks the route ${OTHER} *`]);
    expect(stand().end(`${DEFAULT} eth1`, `${OTHER} eth1`, '10.8.0.0/16 dev eth1')).toEqual([
      `${where} has a new route 10.8.0.0/16 dev *`,
      `${where} has 3 routes, had 2`,
    ]);
  });

  describe('after a switch that its daemon did not outlive', () => {
    const LOST = `S7: after a switch that was cut short alpha lacks the route ${OTHER} *`;
    const restarted = () => {
      const { facts, rule, alpha, moved } = stand();
      moved(`${DEFAULT} eth1`, `${OTHER} eth0`);
      facts.pass(500);
      rule.stepped('alpha', started(), []);
      const later = (): string[] => {
        facts.pass(2000);
        return facts.violations;
      };
      return { facts, rule, alpha, moved, later };
    };

    it('the routes are those before it, device aside', () => {
      const { moved, later } = restarted();
      moved(`${DEFAULT} eth1`, `${OTHER} eth1`);
      expect(later()).toEqual([]);
    });

    it('one is lost', () => {
      const { moved, later } = restarted();
      moved(`${DEFAULT} eth1`);
      expect(later()).toEqual([LOST]);
    });

    it('nothing is judged where the next run says why not, where the node went off, or another program had its hands in it', () => {
      for (const entry of [
        { event: 'switch-failed', net: 'public' },
        { event: 'switch-refused', net: 'public' },
        { event: 'adopted', net: 'public', cause: 'record-of-other-file' },
      ] as const) {
        const { facts, rule, moved, later } = restarted();
        moved(`${DEFAULT} eth1`);
        rule.journalled(told(facts, 'alpha', entry));
        expect(later(), entry.event).toEqual([]);
      }
      const off = restarted();
      off.alpha.powerLosses++;
      off.moved(`${DEFAULT} eth1`);
      expect(off.later()).toEqual([]);
      const strangers = restarted();
      strangers.alpha.dark.delete('eth0');
      strangers.alpha.route(`${DEFAULT} eth1`);
      strangers.rule.changed(ALPHA);
      expect(strangers.later()).toEqual([]);
    });
  });

  it('routes of one key in another order', () => {
    const facts = new FakeFacts();
    const rule = new RoutesKept(facts);
    const alpha = facts.host('alpha');
    const [one, two] = ['default via 10.77.0.254 dev', 'default via 10.77.0.253 dev'];
    alpha.route(`${one} eth0`, `${two} eth0`);
    rule.changed(ALPHA);
    facts.pass(1000);
    rule.journalled(told(facts, 'alpha', { event: 'switch-started' }));
    rule.stepped('alpha', { kind: 'woke' }, [{ kind: 'change-host', id: 1, steps: [] }]);
    alpha.route(`${two} eth1`, `${one} eth1`);
    rule.made('alpha');
    rule.changed(ALPHA);
    rule.journalled(told(facts, 'alpha', { event: 'switch-done', net: 'public', to: 'eth1' }));
    expect(facts.violations.length).toBeGreaterThan(0);
  });
});

describe('S11 scripts exclusive', () => {
  const stand = () => {
    const facts = new FakeFacts();
    const rule = new ScriptsExclusive(facts);
    const become = (node: string, from: string, to: string): void =>
      rule.journalled(told(facts, node, { event: 'package', package: 'web', from, to }));
    return { facts, rule, become };
  };

  it('a start beside a halt', () => {
    const { facts, become } = stand();
    for (const [from, to] of ['halted starting', 'starting running', 'running halting'].map((x) => x.split(' ')))
      become('alpha', from!, to!);
    expect(facts.violations).toEqual([]);
    become('alpha', 'halting', 'starting');
    expect(facts.violations).toEqual(['S11: web on alpha goes from halting to starting: test']);
  });

  it('a start while another node runs it under a lease', () => {
    const { facts, become } = stand();
    become('alpha', 'halted', 'starting');
    become('alpha', 'starting', 'running');
    facts.host('alpha').open.add(FLOATING);
    become('beta', 'halted', 'starting');
    expect(facts.violations).toEqual(['S11: beta starts web, which is running on alpha under a lease']);
  });

  const run = (id: string, node = 'beta', action = 'off'): Action =>
    ({ kind: 'run-agent', id, environment: { BATON_NODE: node, BATON_ACTION: action } }) as unknown as Action;

  it.each([
    ['that an agent has shut', 'off', 0, 0],
    ['that no agent could shut', 'off', 1, 1],
    ['that an agent has opened', 'on', 0, 1],
  ])('a start while the lease of a node runs %s', (_, action, code, violations) => {
    const { facts, rule, become } = stand();
    become('alpha', 'halted', 'starting');
    become('alpha', 'starting', 'running');
    facts.host('alpha').open.add(FLOATING);
    rule.stepped('beta', { kind: 'woke' }, [run('fence 1', 'alpha', action)]);
    rule.stepped(
      'beta',
      { kind: 'agent-exited', id: 'fence 1', outcome: { how: 'exited', code }, output: '', tookMs: 50 },
      [],
    );
    become('beta', 'halted', 'starting');
    expect(facts.violations).toHaveLength(violations);
  });

  it('two agents at one node', () => {
    const { facts, rule } = stand();
    rule.stepped('alpha', { kind: 'woke' }, [run('fence 1'), run('fence 2')]);
    expect(facts.violations).toEqual(['S11: alpha runs fence 2 on beta beside fence 1']);
  });
});

describe('S12 config guard', () => {
  it.each([
    ['the same file and key', 'same', []],
    ['another file', 'other', ['S12: alpha as coordinator counts beta, which has another key or cluster file']],
  ])('a coordinator counts a voter with %s', (_, digest, violations) => {
    const facts = new FakeFacts();
    const rule = new ConfigGuard(facts);
    const alpha = machineOf(facts, 'alpha', 'same');
    rule.stepped('alpha', started(), [], alpha);
    rule.stepped('beta', started(), [], machineOf(facts, 'beta', digest));
    const acked = { 'beta/00': { sentAt: 5, version: { term: 1, revision: 1 } } };
    alpha.state.membership.post = { role: 'coordinator', acked } as unknown as typeof alpha.state.membership.post;
    rule.stepped('alpha', { kind: 'datagram-received', nic: '', to: '', from: '', bytes: new Uint8Array() }, [], alpha);
    expect(facts.violations).toEqual(violations);
  });
});

describe('L4 planned move', () => {
  it.each([
    [900, 0, []],
    [1500, 0, [`L4: ${FLOATING} is dark for 1000 ms while web moves to beta`]],
    // Something else was wrong meanwhile.
    [1500, 1100, []],
  ])('is dark for %i ms, calm since %i', (darkMs, calm, violations) => {
    const facts = new FakeFacts();
    const rule = new PlannedMove(facts);
    rule.journalled(
      told(facts, 'alpha', { event: 'placed', package: 'web', from: 'alpha', to: 'beta', cause: 'operator' }),
    );
    facts.calm = calm;
    rule.changed();
    facts.pass(darkMs);
    facts.host('beta').on['eth0']!.push(address(FLOATING));
    facts.host('beta').open.add(FLOATING);
    rule.changed();
    facts.pass(3000);
    expect(facts.violations).toEqual(violations);
  });
});

describe('L6 no flapping', () => {
  it.each([
    ['a fourth move within ten minutes', 4, 'node-lost', 1],
    ['three of them', 3, 'node-lost', 0],
    ['what an operator asks for', 9, 'operator', 0],
  ])('%s', (_, times, cause, violations) => {
    const facts = new FakeFacts();
    const rule = new NoFlapping(facts);
    for (let i = 0; i < times; i++) {
      const [from, to] = i % 2 === 0 ? ['alpha', 'beta'] : ['beta', 'alpha'];
      rule.journalled(told(facts, 'alpha', { event: 'placed', package: 'web', from, to, cause }));
      facts.pass(60_000);
    }
    expect(facts.violations).toHaveLength(violations);
  });
});

describe('L6 nothing goes where it cannot stay', () => {
  const FAST = 'timing: { poll: 600ms, heartbeat: 50ms, nodeTimeout: 300ms, margin: 20ms }';

  it.each([
    ['by the file of all', '', 1],
    ['by the later file of whoever decides', FAST, 0],
  ])('home to a node that is back for 2 s, %s', (_, line, violations) => {
    const facts = new FakeFacts();
    const decides = machineOf(new FakeFacts((file) => `${file}${line}\n`), 'alpha');
    facts.pass(1000);
    const entry = { event: 'placed', package: 'web', from: 'alpha', to: 'beta', cause: 'failback' } as const;
    new FitTarget(facts).journalled(told(facts, 'alpha', entry), decides);
    expect(facts.violations).toHaveLength(violations);
  });

  it('home to a node whose daemon has just ended: nobody knows yet', () => {
    const facts = new FakeFacts();
    facts.host('beta').runsSince = Infinity;
    const entry = { event: 'placed', package: 'web', from: 'alpha', to: 'beta', cause: 'failback' } as const;
    new FitTarget(facts).journalled(told(facts, 'alpha', entry), machineOf(facts, 'alpha'));
    expect(facts.violations).toEqual([]);
  });

  it.each([
    ['that its daemon slept through', 50, 0],
    ['that its daemon could have seen', 5000, 1],
  ])('a switch to a NIC without a carrier for a second, %s', (_, awakeMs, violations) => {
    const facts = new FakeFacts();
    const rule = new FitTarget(facts);
    facts.hosts['alpha']!.dark.add('eth1');
    rule.changed(ALPHA);
    facts.pass(1000);
    facts.hosts['alpha']!.awakeSince = facts.now() - awakeMs;
    const entry = { event: 'switch-started', net: 'public', from: 'eth0', to: 'eth1', cause: 'carrier' } as const;
    rule.journalled(told(facts, 'alpha', entry), machineOf(facts));
    expect(facts.violations).toHaveLength(violations);
  });

  it('a switch in the very moment in which the carrier returns, before that moment is looked at (seed 20403)', () => {
    const facts = new FakeFacts();
    const rule = new FitTarget(facts);
    const { dark } = facts.hosts['alpha']!;
    dark.add('eth1');
    rule.changed(ALPHA);
    facts.pass(1000);
    dark.delete('eth1');
    const entry = { event: 'switch-started', net: 'public', from: 'eth0', to: 'eth1', cause: 'carrier' } as const;
    rule.journalled(told(facts, 'alpha', entry), machineOf(facts));
    expect(facts.violations).toEqual([]);
  });
});

describe('S2 a node without quorum is dark', () => {
  it.each([
    ['nodeTimeout of all', 'default', true],
    ['a longer one of its later file', '{ nodeTimeout: 3s }', false],
  ])('answers two seconds after its links have gone, with %s', (_, timing, isViolated) => {
    const { facts, rule, beta } = quorate(timing);
    beta.awake = false;
    rule.changed();
    facts.pass(2000);
    rule.changed();
    expect(facts.violations.length > 0).toBe(isViolated);
  });

  it.each([
    [100, false],
    [1500, true],
  ])(
    'not while a process that is stopped most of the time went on for a moment, %i ms ago (seed 213673)',
    (agoMs, isViolated) => {
      const { facts, rule, beta } = quorate('default');
      beta.awake = false;
      rule.changed();
      facts.pass(900);
      rule.stepped('beta');
      facts.pass(agoMs);
      rule.changed();
      expect(facts.violations.length > 0).toBe(isViolated);
    },
  );
});

/** Alpha and beta are voters, linked and awake; alpha answers. */
function quorate(timing: string) {
  const facts = new FakeFacts();
  const node = machineOf(new FakeFacts((file) => `${file}timing: ${timing}\n`));
  const disk = { text: JSON.stringify({ document: documentOf(v(1, 1), on('alpha', v(1, 1))) }) };
  const alpha = { awake: true, disk, node };
  const beta = { ...alpha, node: null };
  const network = {
    daemons: new Map(Object.entries({ alpha, beta })),
    hosts: new Map(['alpha', 'beta'].map((name) => [name, { gate: { stands: true } }])),
    serial: { isWhole: true },
    arbiter: null,
    sharedDisk: null,
  };
  const watcher = { addresses: [FLOATING], answering: () => ['alpha'] };
  const rule = new InquorateDark(facts, { network, watcher } as unknown as SimulatorLab);
  rule.changed();
  return { facts, rule, beta };
}
