import { describe, expect, it } from 'vitest';
import { auditText } from '../../../src/cli/output/audit-text.js';
import { plain } from '../../../src/cli/output/paint.js';
import { audit, type Audit } from '../../../src/drill/foresight/audit.js';
import { cautionsOf } from '../../../src/drill/foresight/caution.js';
import { partsOf } from '../../../src/drill/foresight/part.js';
import { tryFaults } from '../../../src/drill/foresight/trial.js';
import { sample, situation, TWO_NODES } from './sample.js';

const found = ({ findings }: Audit): string[] => findings.map(({ kind, name }) => `${kind} ${name}`);

describe('an audit', () => {
  it('names exactly the single points that were planted, each with its cure', async () => {
    const report = await audit(sample('single-points'), { double: false, jobs: 1 });
    expect(found(report)).toEqual(['switch lan', 'NIC alpha.eth0', 'heartbeat private1', 'quorum none']);
    expect(report.findings.map(({ cure }) => cure)).toEqual([
      expect.stringMatching(/standby for alpha, beta on another switch/),
      expect.stringMatching(/standby NIC for alpha/),
      expect.stringMatching(/second private net/),
      expect.stringMatching(/an arbiter/),
    ]);
    expect(report.trouble).toEqual([]);
    const off = report.singles.find(({ faults }) => faults[0] === 'power-off alpha')!;
    expect(off.effects).toMatchObject([{ subject: 'web', before: 'alpha', after: 'beta', forGood: false }]);
    const text = auditText(report, plain).join('\n');
    expect(text).toMatch(/Single points of failure: 4\n/);
    expect(text).toMatch(/\npower-off alpha +web +\d+ ms +alpha → beta\n/);
  });

  it('finds none in the cured cluster', async () => {
    const report = await audit(sample('cured'), { double: false, jobs: 1 });
    expect(found(report)).toEqual([]);
    expect(report.cautions).toEqual([]);
    expect(report.trouble).toEqual([]);
    expect(report.tried).toBeGreaterThan(40);
    expect(auditText(report, plain).join('\n')).toMatch(/Single points of failure: none/);
  });
});

describe('what fails', () => {
  it('is everything but what is dead already', () => {
    const dead = situation();
    dead.standing = { ...dead.standing, lost: ['beta'], nics: { 'alpha.eth1': 'carrier' }, arbiterDead: true };
    const names = partsOf(dead).map(({ kind, name }) => `${kind} ${name}`);
    expect(names).toEqual([
      ...['switch left', 'switch right', 'switch private1', 'trunk left-core', 'trunk right-core'],
      ...['NIC alpha.eth0', 'NIC alpha.hb0', 'node alpha', 'daemon alpha', 'target 10.77.0.254'],
    ]);
  });

  it('a package with one node stays out with it', async () => {
    const lone = situation(TWO_NODES, ['web: { nodes: [alpha, beta]', 'web: { nodes: [alpha]']);
    const [part] = partsOf(lone).filter(({ kind, name }) => kind === 'node' && name === 'alpha');
    const trial = await tryFaults(lone, { parts: [part!], faults: part!.ways[0]! });
    expect(trial.effects).toMatchObject([{ subject: 'web', before: 'alpha', after: null, forGood: true }]);
  });

  it('of a cluster without packages are the stationary addresses that stay away', async () => {
    const monitor = situation(TWO_NODES, [/^packages:\n.*\n/m, ''], [/^quorum: .*$/m, '']);
    const cut = await tryFaults(monitor, {
      parts: partsOf(monitor).slice(0, 1),
      faults: ['cut alpha.eth0', 'cut alpha.eth1'],
    });
    expect(cut.effects.find(({ subject }) => subject === '10.77.0.1')).toMatchObject({ forGood: true, after: null });
    expect(cut.effects.find(({ subject }) => subject === '10.77.0.2')).toMatchObject({ forGood: false, ms: 0 });
  });
});

describe('cautions', () => {
  const cautions = (...changes: [string | RegExp, string][]): string =>
    cautionsOf(situation(TWO_NODES, ...changes), []).join('\n');

  it('there are none where all goes together', () => {
    expect(cautions()).toBe('');
  });

  it('backup plans that go round', () => {
    const mail = '\n  mail: { nodes: [beta, alpha], resources: [{ address: 10.77.0.110, net: public }] }\n';
    expect(cautions([/\n$/, mail])).toMatch(/go round \(alpha → beta → alpha\)/);
  });

  it('heartbeat nets that share a switch', () => {
    const lan = 'switches: { lan: [alpha.eth0, beta.eth0, alpha.hb0, beta.hb0] }';
    expect(cautions([/^switches: .*$/m, lan])).toMatch(/heartbeat nets public and private1 share switch lan/);
  });

  it.each<[string, [string | RegExp, string], RegExp]>([
    ['upDelay', ['heartbeat: public,', 'heartbeat: public, upDelay: 100ms,'], /upDelay 100ms is shorter/],
    ['flapWindow', ['heartbeat: public,', 'heartbeat: public, flapWindow: 4s,'], /flapWindow 4s is not longer/],
    ['startWait', ['quorum: {', 'quorum: { startWait: 1s,'], /startWait 1s is less than two nodeTimeouts/],
    ['movesWindow', ['web: {', 'web: { movesWindow: 5s,'], /movesWindow 5s/],
  ])('%s that cannot work with the others', (_, change, text) => {
    expect(cautions(change)).toMatch(text);
  });
});
