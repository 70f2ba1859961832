import { describe, expect, it } from 'vitest';
import { listScenarios, loadScenario, parseScenario } from '../../src/drill/load.js';
import { parseFault } from '../../src/drill/scenario.js';

const minimal = `
title: t
topology: { switches: [left], nodes: { alpha: { eth0: left } } }
cluster: {}
steps: []
until: 1s
`;

describe('scenario files', () => {
  it.each(listScenarios())('%s parses', (name) => {
    expect(loadScenario(name).name).toBe(name);
  });

  it('fills in defaults and turns durations into milliseconds', () => {
    const scenario = parseScenario(minimal, 'x/small.yaml');
    expect(scenario).toMatchObject({
      name: 'small',
      until: 1000,
      labs: ['simulator', 'kernel'],
      always: { tcp: true, still: false },
    });
  });

  it.each([
    ['a wrong duration', minimal.replace('1s', 'soon'), /x\.yaml:6:1: until: a duration/],
    ['an unknown key', minimal + 'untill: 2s\n', /x\.yaml:7:1: untill: there is no such key/],
    [
      'an unknown fault',
      minimal.replace('steps: []', 'steps: [{ at: 1s, fault: explode alpha }]'),
      /unknown fault "explode"/,
    ],
    [
      'a fault without its NIC',
      minimal.replace('steps: []', 'steps: [{ at: 1s, fault: cut alpha }]'),
      /"alpha" is not a NIC/,
    ],
    ['a step that does nothing', minimal.replace('steps: []', 'steps: [{ at: 1s }]'), /a step needs/],
    ['broken YAML', 'title: [', /x\.yaml/],
  ])('tells %s with its place', (_, text, message) => {
    expect(() => parseScenario(text, 'x.yaml')).toThrow(message);
  });

  it('says what it has when a name is unknown', () => {
    expect(() => loadScenario('no-such-thing')).toThrow(/baton scenario list/);
  });
});

describe('fault grammar', () => {
  it.each([
    ['cut alpha.eth0', { fault: 'cut', at: { node: 'alpha', nic: 'eth0' } }],
    ['drop in alpha.eth0', { fault: 'drop', direction: 'in', at: { node: 'alpha', nic: 'eth0' } }],
    ['loss 30%', { fault: 'loss', percent: 30 }],
    ['loss 5% beta.eth1', { fault: 'loss', percent: 5, at: { node: 'beta', nic: 'eth1' } }],
    [
      'flap alpha.eth0 50ms 1s 4',
      { fault: 'flap', at: { node: 'alpha', nic: 'eth0' }, downMs: 50, upMs: 1000, times: 4 },
    ],
    ['kill-at alpha 3', { fault: 'kill-at', node: 'alpha', step: 3 }],
    ['rename alpha.eth0 net7', { fault: 'rename', at: { node: 'alpha', nic: 'eth0' }, to: 'net7' }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  it.each(['drop sideways alpha.eth0', 'loss much', 'loss 101%', 'kill', 'flap alpha.eth0 50ms'])(
    'refuses %s',
    (text) => {
      expect(() => parseFault(text)).toThrow();
    },
  );
});
