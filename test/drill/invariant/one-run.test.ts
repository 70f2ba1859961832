/** What must hold of one run of a daemon: what it makes of bad input (S5), and of what the run before it left (S13). */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../src/action.js';
import { HitlessRestart } from '../../../src/drill/invariant/hitless-restart.js';
import { InertInput } from '../../../src/drill/invariant/inert-input.js';
import type { Input } from '../../../src/input.js';
import { address, FakeFacts, machineOf, started, told } from './fake-facts.js';

const FLOATING = '10.77.0.100';

describe('S5 bad input is inert', () => {
  const datagram: Input = { kind: 'datagram-received', nic: 'eth0', to: '', from: '', bytes: new Uint8Array(80) };
  const stand = () => {
    const facts = Object.assign(new FakeFacts(), { lab: {} }) as FakeFacts;
    const rule = new InertInput(facts);
    const machine = machineOf(facts);
    const take = (input: Input, actions: Action[], harm: () => void): string[] => {
      rule.stepping('alpha', input, machine, -1);
      if ('bytes' in input) machine.step(-1, { ...input, bytes: new Uint8Array(0) });
      harm();
      rule.stepped('alpha', input, actions, machine);
      return facts.violations;
    };
    return { facts, machine, take };
  };

  it('a forged datagram that is counted', () => {
    const { machine, take } = stand();
    expect(take(datagram, [], () => (machine.state.health.dropped['heartbeat-seal'] = 1))).toEqual([]);
  });

  it('one that changes the state, or is answered', () => {
    const { machine, take } = stand();
    expect(take(datagram, [], () => machine.state.random.seed++)).toEqual([
      expect.stringMatching(/^S5: a forged datagram-received changed the state of alpha/),
    ]);
    const answer: Action = { kind: 'send-datagram', nic: 'eth0', from: '', to: '', bytes: new Uint8Array(1) };
    expect(stand().take(datagram, [answer], () => {})).toEqual([
      'S5: alpha answers a forged datagram-received by send-datagram',
    ]);
  });

  // Sent by a daemon of this incarnation, as far as the rule knows alpha's own.
  const ofItself = () => {
    const bytes = new Uint8Array(80);
    const { machine, take } = stand();
    take(started(), [{ kind: 'send-datagram', nic: 'eth0', from: '', to: '', bytes }], () => {});
    return { machine, take, beat: { ...datagram, bytes } };
  };

  it('the same beat twice, if its session was accepted when it first came', () => {
    const { machine, take, beat } = ofItself();
    take(beat, [], () => machine.state.random.seed++);
    expect(take(beat, [], () => machine.state.random.seed++)).toEqual([
      expect.stringMatching(/^S5: a replayed datagram-received changed/),
    ]);
  });

  it('once more where its key was unknown when it first came, as in a rotation; no third time', () => {
    const { machine, take, beat } = ofItself();
    take(beat, [], () => (machine.state.health.dropped['heartbeat-key'] = 1));
    expect(take(beat, [], () => machine.state.random.seed++)).toEqual([]);
    expect(take(beat, [], () => machine.state.random.seed++)).toHaveLength(1);
  });
});

describe('S13 restart is hitless', () => {
  const stand = (timing = 'default') => {
    const facts = new FakeFacts((file) => `${file}timing: ${timing}\n`);
    const rule = new HitlessRestart(facts);
    const alpha = facts.host('alpha');
    alpha.on['eth0']!.push(address(FLOATING));
    alpha.open.add(FLOATING);
    alpha.leaseLeftMs = 500;
    const machine = machineOf(facts);
    const placements = { web: { node: 'alpha', state: 'run' } };
    machine.state.membership.record.document = { placements } as unknown as null;
    rule.stepping('alpha', started({ durable: {} }), machine);
    return { facts, rule, alpha };
  };

  it('a gate that is closed within the lease, or ends with it', () => {
    const early = stand();
    early.facts.pass(100);
    early.alpha.open.clear();
    early.rule.changed();
    expect(early.facts.violations).toEqual([
      expect.stringMatching(/^S13: alpha was restarted within its lease, and closes/),
    ]);
    const due = stand();
    due.facts.pass(500);
    due.alpha.open.clear();
    due.rule.changed();
    expect(due.facts.violations).toEqual([]);
  });

  it('nothing of a node that lost its power, be it back at once', () => {
    const { facts, rule, alpha } = stand();
    facts.pass(100);
    alpha.open.clear();
    alpha.powerLosses++;
    rule.changed();
    expect(facts.violations).toEqual([]);
  });

  it('an address that the new run takes off, a package that it starts anew', () => {
    const { facts, rule, alpha } = stand();
    alpha.on['eth0']!.length = 0;
    rule.made('alpha', { do: 'delete-address', nic: 'eth0', address: address(FLOATING) });
    expect(facts.violations).toEqual([expect.stringMatching(/takes 10\.77\.0\.100 off/)]);
    const anew = stand();
    anew.rule.journalled(
      told(anew.facts, 'alpha', { event: 'package', package: 'web', to: 'running', cause: 'takeover' }),
    );
    expect(anew.facts.violations).toEqual(['S13: alpha starts web anew (takeover) within its lease']);
  });

  it.each([
    // margin 20 ms: it gives up what it cannot know to be under a lease after 280 ms.
    ['{ poll: 600ms, heartbeat: 50ms, nodeTimeout: 300ms, margin: 20ms }', 281, 0],
    ['{ poll: 600ms, heartbeat: 50ms, nodeTimeout: 300ms, margin: 20ms }', 260, 1],
    ['default', 281, 1],
  ])('a lease of 500 ms by another cluster file, under timing %s: taken off after %i ms', (timing, ms, violations) => {
    const { facts, rule, alpha } = stand(timing);
    facts.pass(ms);
    alpha.on['eth0']!.length = 0;
    rule.made('alpha', { do: 'delete-address', nic: 'eth0', address: address(FLOATING) });
    expect(facts.violations).toHaveLength(violations);
  });
});
