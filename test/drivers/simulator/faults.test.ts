/** Each fault of the language on the simulator: what it does to the world, and that it heals. */
import { beforeEach, describe, expect, test } from 'vitest';
import { addAddress } from '../../../drivers/simulator/addresses.js';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Host } from '../../../drivers/simulator/host.js';
import { parseScenario } from '../../../src/drill/load.js';
import { parseFault } from '../../../src/drill/scenario.js';

const SCENARIO = parseScenario(
  `
title: three nodes and an arbiter
topology:
  switches: [left, blue]
  nodes:
    alpha: { eth0: left, hb0: blue }
    beta: { eth0: left, hb0: blue }
    gamma: { eth0: left, hb0: blue }
  clients:
    client: { switch: left, addresses: [10.77.0.254/24], probes: [10.77.0.100] }
    etcd: { switch: left, addresses: [10.77.0.9/24] }
  arbiter: etcd
cluster:
  nets: { public: { heartbeat: public }, private1: { heartbeat: private } }
  nodes:
    alpha: { public: { primary: eth0, address: 10.77.0.1/24 }, private1: { primary: hb0, address: 10.78.0.1/24 } }
    beta: { public: { primary: eth0, address: 10.77.0.2/24 }, private1: { primary: hb0, address: 10.78.0.2/24 } }
    gamma: { public: { primary: eth0, address: 10.77.0.3/24 }, private1: { primary: hb0, address: 10.78.0.3/24 } }
  packages: { web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] } }
steps:
  - { at: 1s, fault: replay left }
until: 2s
`,
  'three.yaml',
);

let lab: SimulatorLab;
let alpha: Host;
let beta: Host;

/** Datagrams that come to beta from alpha in a while. */
function heardOf(nic: 'eth0' | 'hb0', count: number, from: Host = alpha, to: Host = beta): string[] {
  const heard: string[] = [];
  const before = to.onUdp;
  to.onUdp = (on, { content }) => {
    if (typeof content === 'string') heard.push(`${on} ${content}`);
  };
  const net = nic === 'eth0' ? '10.77.0' : '10.78.0';
  const n = (host: Host): number => ['alpha', 'beta', 'gamma'].indexOf(host.name) + 1;
  const { clock } = lab.network.world;
  for (let i = 0; i < count; i++) {
    clock.after(i, () =>
      from.sendDatagram(nic, {
        family: 4,
        source: `${net}.${n(from)}`,
        destination: `${net}.${n(to)}`,
        port: 1,
        content: String(i),
      }),
    );
  }
  clock.runUntil(clock.now + count + 30);
  to.onUdp = before;
  return heard;
}

async function during(fault: string, look: () => void): Promise<void> {
  await lab.inflict(parseFault(fault));
  look();
  await lab.heal(parseFault(fault));
}

beforeEach(async () => {
  lab = new SimulatorLab({ seed: 5 });
  await lab.build(SCENARIO);
  lab.begin();
  alpha = lab.network.hosts.get('alpha')!;
  beta = lab.network.hosts.get('beta')!;
});

describe('datagrams', () => {
  test('leave by the NIC that they name, if that has the address and a carrier, and come in where they should', async () => {
    expect(heardOf('hb0', 2)).toEqual(['hb0 0', 'hb0 1']);
    await during('admin-down alpha.hb0', () => expect(heardOf('hb0', 2)).toEqual([]));
    await during('cut beta.hb0', () => expect(heardOf('hb0', 2)).toEqual([]));
    // A neighbour that did not answer is asked again after a second.
    await lab.runUntil(lab.now() + 1100);
    expect(heardOf('hb0', 1)).toEqual(['hb0 0']);
    const datagram = { family: 4, source: '10.77.0.1', destination: '10.78.0.2', port: 1, content: 'x' } as const;
    expect(() => alpha.sendDatagram('hb0', datagram)).not.toThrow();
  });
});

describe('the wire', () => {
  test('duplicate: frames come twice; reorder: they overtake each other', async () => {
    await during('duplicate 100%', () => expect(heardOf('eth0', 3).length).toBeGreaterThan(6));
    await during('reorder 50% beta.eth0', () => {
      const heard = heardOf('eth0', 40).map((text) => Number(text.slice(5)));
      expect([...heard].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      expect(heard).not.toEqual([...heard].sort((a, b) => a - b));
    });
    expect(heardOf('eth0', 3)).toHaveLength(3);
  });

  test('block: one way only, on every net; split: both ways, between groups; blows add up', async () => {
    // Without neighbour entries there is no way back: the answer to ARP goes the blocked way.
    heardOf('hb0', 1, beta, alpha);
    await during('block alpha beta', () => {
      expect([heardOf('eth0', 1), heardOf('hb0', 1)]).toEqual([[], []]);
      expect(heardOf('hb0', 1, beta, alpha)).toEqual(['hb0 0']);
    });
    await lab.inflict(parseFault('block alpha beta'));
    const gamma = lab.network.hosts.get('gamma')!;
    await during('split alpha|beta,gamma', () => {
      expect(heardOf('hb0', 1, beta, alpha)).toEqual([]);
      expect(heardOf('hb0', 1, beta, gamma)).toEqual(['hb0 0']);
    });
    expect(heardOf('hb0', 1)).toEqual([]);
    await lab.heal(parseFault('block alpha beta'));
    expect(heardOf('hb0', 1)).toEqual(['hb0 0']);
  });

  test('replay: what a switch has seen of baton comes once more', async () => {
    heardOf('eth0', 3);
    const again: unknown[] = [];
    beta.onUdp = (_, { content }) => again.push(content);
    await lab.inflict(parseFault('replay left'));
    await lab.runUntil(lab.now() + 10);
    expect(again).toEqual(['0', '1', '2']);
  });
});

describe('a node', () => {
  test('power-off: all links dead, kernel empty; power-on: the gate closed, the addresses of the file back', async () => {
    await lab.startDaemon('beta');
    const eth0 = beta.nics.get('eth0')!;
    addAddress(beta, eth0, { family: 4, local: '10.77.0.100', prefixLength: 32, scope: 0, flags: 0 });
    await during('power-off beta', () => {
      expect(lab.network.daemons.get('beta')!.runs).toBe(false);
      expect([eth0.carrier, eth0.addresses, beta.routes.list, beta.gate.stands]).toEqual([false, [], [], false]);
      expect(heardOf('hb0', 1)).toEqual([]);
    });
    expect(beta.gate.stands).toBe(true);
    expect(beta.gate.lets('10.77.0.100')).toBe(false);
    expect(eth0.addresses.map(({ local }) => local)).toContain('10.77.0.2');
    await lab.runUntil(lab.now() + 1000);
    expect(lab.network.daemons.get('beta')!.runs).toBe(true);
    expect(heardOf('hb0', 1)).toEqual(['hb0 0']);
  });

  test('a daemon that is about to start when the power goes does not start', async () => {
    lab.network.daemons.get('alpha')!.startSoon();
    await lab.inflict(parseFault('power-off alpha'));
    await lab.runUntil(lab.now() + 2000);
    expect(lab.network.daemons.get('alpha')!.runs).toBe(false);
  });

  test('freeze and freeze-for: it answers nothing; stops may overlap', async () => {
    await lab.startDaemon('alpha');
    const daemon = lab.network.daemons.get('alpha')!;
    await lab.inflict(parseFault('freeze-for alpha 300ms'));
    await during('freeze alpha', () => expect(daemon.awake).toBe(false));
    expect(daemon.awake).toBe(false);
    await lab.runUntil(lab.now() + 301);
    expect(daemon.awake).toBe(true);
    expect(lab.journal().filter(({ event }) => event === 'stalled')).toHaveLength(1);
  });

  test('drift: its clock runs wrong, and goes on from where it is', async () => {
    const from = alpha.clock.now;
    await lab.inflict(parseFault('drift alpha 50000'));
    await lab.runUntil(lab.now() + 1000);
    expect(alpha.clock.now - from).toBeCloseTo(1050, 5);
    await lab.heal(parseFault('drift alpha 50000'));
    await lab.runUntil(lab.now() + 1000);
    expect(alpha.clock.now - from).toBeCloseTo(2050, 5);
  });

  test('disk-full and disk-lost: writes are refused; the next start finds nothing', async () => {
    const daemon = lab.network.daemons.get('alpha')!;
    daemon.disk.write(1, { a: 1 }, () => {});
    await lab.runUntil(lab.now() + 20);
    let failed = '';
    await lab.inflict(parseFault('disk-full alpha'));
    daemon.disk.write(2, { a: 2 }, (_, failure) => (failed = failure?.code ?? ''));
    await lab.runUntil(lab.now() + 20);
    expect(failed).toBe('ENOSPC');
    await lab.heal(parseFault('disk-full alpha'));
    await lab.inflict(parseFault('disk-lost alpha'));
    expect(daemon.disk.read().durable).toEqual({ a: 1 });
    daemon.start();
    expect(daemon.disk.read().durable).toBeNull();
  });

  test('add-address and flush-firewall: an address left behind answers once nothing filters it', async () => {
    const daemon = lab.network.daemons.get('gamma')!;
    expect(daemon.runs).toBe(false);
    await lab.inflict(parseFault('add-address gamma.eth0 10.77.0.100/32'));
    await lab.runUntil(lab.now() + 5);
    expect(lab.holder('10.77.0.100')).toBeNull();
    await lab.inflict(parseFault('flush-firewall gamma'));
    await lab.runUntil(lab.now() + 5);
    expect(lab.holder('10.77.0.100')).toBe('gamma');
    await lab.heal(parseFault('add-address gamma.eth0 10.77.0.100/32'));
    await lab.runUntil(lab.now() + 5);
    expect(lab.holder('10.77.0.100')).toBeNull();
  });

  test('an address with a valid lifetime goes when that is over, unless it is renewed', async () => {
    const eth0 = alpha.nics.get('eth0')!;
    const brief = { family: 4, local: '10.77.0.101', prefixLength: 32, scope: 0, flags: 0, validS: 2 } as const;
    addAddress(alpha, eth0, brief);
    await lab.runUntil(lab.now() + 1900);
    expect(eth0.has('10.77.0.101')).toBe(true);
    await lab.runUntil(lab.now() + 1200);
    expect(eth0.has('10.77.0.101')).toBe(false);
  });
});

describe('strangers and arbiter', () => {
  test('claim: a client has the address and says so', async () => {
    await lab.inflict(parseFault('claim etcd 10.77.0.100'));
    await lab.runUntil(lab.now() + 5);
    expect(lab.announcements()).toContainEqual(expect.objectContaining({ client: 'client', address: '10.77.0.100' }));
    await lab.heal(parseFault('claim etcd 10.77.0.100'));
  });

  test('arbiter-off, arbiter-freeze: no answers; arbiter-forget: the key is gone', async () => {
    const arbiter = lab.network.arbiter!;
    await during('arbiter-off', () => expect(arbiter.runs).toBe(false));
    await during('arbiter-freeze', () => expect(arbiter.runs).toBe(false));
    expect(arbiter.runs).toBe(true);
    await lab.inflict(parseFault('arbiter-forget'));
    expect(arbiter.record).toBeNull();
  });

  test.each(['cpu-busy 2', 'firewall-busy alpha', 'rtnl-busy'])('%s is refused, with the reason', async (fault) => {
    await expect(lab.inflict(parseFault(fault))).rejects.toThrow('kernel lab only');
  });
});
