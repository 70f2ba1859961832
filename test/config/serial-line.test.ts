import { expect, test } from 'vitest';
import { parseClusterFile } from '../../src/config/parse.js';
import { roundMs } from '../../src/config/serial-line.js';
import { Wire } from '../health/wire.js';
import { PART } from '../../src/frame/part.js';
import { serialFrameLength } from '../../src/frame/serial.js';

function file(baud: number, timing = 'default', packages = 1): string {
  const serial = `serial: { device: /dev/ttyUSB0, baud: ${baud} }`;
  const web = Array.from(
    { length: packages },
    (_, i) => `  web${i}: { nodes: [alpha, beta], resources: [{ address: 10.77.1.${i}, net: public }] }`,
  ).join('\n');
  return `cluster: shop
key: /etc/baton/cluster.key
nets: { public: { heartbeat: public, targets: [10.77.0.254] } }
nodes:
  alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/16 }, ${serial} }
  beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/16 }, ${serial} }
quorum: { arbiter: { etcd: { endpoints: ["http://10.77.0.9:2379"] } } }
timing: ${timing}
packages:
${web}
`;
}

function refusal(text: string): string {
  try {
    parseClusterFile(text, 'c.yaml');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  [115_200, 'default', 1, ''],
  [38_400, 'default', 1, ''],
  [19_200, 'default', 1, 'at 19200 baud .* more than half of the lease of 948ms; at least 38400 baud'],
  [9600, 'calm', 1, ''],
  [4800, 'calm', 1, 'at least 9600 baud'],
  [115_200, 'fast', 1, 'at least 230400 baud'],
  [230_400, 'fast', 1, ''],
  [115_200, 'default', 60, 'at least 230400 baud'],
])('%d baud with timing %s and %d packages', (baud, timing, packages, expected) => {
  const text = refusal(file(baud, timing, packages));
  if (expected === '') expect(text).toBe('');
  else expect(text).toMatch(new RegExp(expected));
});

test('the bytes that it reckons with are those that go over the line', () => {
  const wire = new Wire({ serial: 115_200 });
  wire.run(2000);
  const from = wire.lineSent.length;
  wire.loses = () => true;
  const alpha = wire.peers['alpha']!;
  alpha.speak('beta', [
    { kind: PART.standing, bytes: new Uint8Array(40) },
    { kind: PART.append, bytes: new Uint8Array(25) },
  ]);
  alpha.speak('beta', [
    { kind: PART.standing, bytes: new Uint8Array(40) },
    { kind: PART.grant, bytes: new Uint8Array(54) },
  ]);
  alpha.speak('beta', [
    { kind: PART.standing, bytes: new Uint8Array(40) },
    { kind: PART.answer, bytes: new Uint8Array(57) },
  ]);
  const sent = wire.lineSent
    .slice(from, from + 3)
    .map(({ bytes }) => (serialFrameLength(bytes.length) * 10_000) / 115_200);
  const takes = Math.max(200, 2 * (sent[0]! + sent[1]!)) + sent[0]! + sent[1]! + sent[2]!;
  const reckoned = roundMs(wire.cluster, 115_200);
  expect(reckoned).toBeGreaterThanOrEqual(takes);
  expect(reckoned).toBeLessThan(1.05 * takes);
});
