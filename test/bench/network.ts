/** The networks that are measured, as scenarios without steps. */
import { scenarioSchema, type Scenario } from '../../src/drill/scenario.js';
import type { Timing } from './figures.js';

export const ADDRESS = '10.77.0.1';
export const GATEWAY = '10.77.0.254';
export const PREFIX_LENGTH = 24;

function scenario(name: string, topology: object, cluster: object): Scenario {
  const parsed = scenarioSchema.parse({ title: `bench: ${name}`, topology, cluster, steps: [], until: '1s' });
  return { ...parsed, name };
}

/**
 *     client 10.77.0.254 ── left ═══ right        spare
 *                            │  │     │  │          │
 *              10.77.0.1 eth0a  eth0b eth1a eth1b   eth9a
 *
 * The client is gateway and target, pings each millisecond and keeps a TCP connection. A carrier change of eth9 is
 * what makes the kernel hold back the next carrier event of a `physical` card.
 */
export function switchNetwork(cards: 'plain' | 'physical', timing: Timing, mac?: 'follow'): Scenario {
  const node = (address: string) => ({ public: { primary: 'eth0', standby: ['eth1'], address } });
  return scenario(
    'local-switch',
    {
      switches: ['left', 'right', 'spare'],
      trunks: ['left-right'],
      nodes: {
        alpha: { eth0: 'left', eth1: 'right', eth9: 'spare' },
        beta: { eth0: 'left', eth1: 'right' },
      },
      clients: {
        client: { switch: 'left', addresses: [`${GATEWAY}/${PREFIX_LENGTH}`], probes: [ADDRESS], tcp: [ADDRESS] },
      },
      cards,
      routes: { alpha: [`default via ${GATEWAY}`] },
    },
    {
      timing,
      nets: { public: { targets: [GATEWAY], upDelay: '300ms', flapMax: 1000, ...(mac && { mac }) } },
      nodes: { alpha: node(`${ADDRESS}/${PREFIX_LENGTH}`), beta: node(`10.77.0.2/${PREFIX_LENGTH}`) },
    },
  );
}

/** As many nets as it takes, of `nicsPerNet` NICs a node each, every net on a switch of its own. */
export function idleNetwork(nics: number, nicsPerNet: number, nodes: number, timing: Timing): Scenario {
  const names = ['alpha', 'beta', 'gamma'].slice(0, nodes);
  const nets = Array.from({ length: nics / nicsPerNet }, (_, i) => i);
  const nicsOf = (net: number) => Array.from({ length: nicsPerNet }, (_, i) => `n${net * nicsPerNet + i}`);
  const wiring = nets.flatMap((net) => nicsOf(net).map((nic) => [nic, `s${net}`]));
  const nodeNets = (n: number) =>
    nets.map((net) => {
      const [primary, ...standby] = nicsOf(net);
      return [`net${net}`, { primary, standby, address: `10.${net >> 8}.${net & 255}.${n + 1}/24` }];
    });
  return scenario(
    'idle',
    {
      switches: nets.map((net) => `s${net}`),
      nodes: Object.fromEntries(names.map((name) => [name, Object.fromEntries(wiring)])),
    },
    {
      timing,
      nets: Object.fromEntries(nets.map((net) => [`net${net}`, {}])),
      nodes: Object.fromEntries(names.map((name, n) => [name, Object.fromEntries(nodeNets(n))])),
    },
  );
}

/** One detection time of both programs. */
export interface TakeoverTiming {
  name: string;
  nodeTimeoutMs: number;
  /** `timing` of the cluster file. */
  cluster: string | Record<string, string>;
  /** Seconds between keepalived's advertisements. */
  keepalivedS: number;
}

export function floatingAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.77.${1 + (i >> 8)}.${i & 255}`);
}

/**
 *     client 10.77.0.254/16, asks every floating address
 *       │
 *     ┌─┴──── left ────────┐        ┌──── heart ───────┐
 *     eth0     eth0     eth0        hb0     hb0     hb0
 *     alpha    beta     gamma       alpha   beta    gamma
 */
export function takeoverNetwork(timing: TakeoverTiming, addresses: number, mac?: string): Scenario {
  const nodes = ['alpha', 'beta', 'gamma'];
  const floating = floatingAddresses(addresses);
  const resources = floating.map((address) => ({ address, net: 'public', ...(mac !== undefined && { mac }) }));
  return scenario(
    'takeover',
    {
      switches: ['left', 'heart'],
      nodes: Object.fromEntries(nodes.map((name) => [name, { eth0: 'left', hb0: 'heart' }])),
      clients: { client: { switch: 'left', addresses: ['10.77.0.254/16'], probes: floating } },
    },
    {
      timing: timing.cluster,
      nets: { public: { heartbeat: 'public', targets: ['10.77.0.254'] }, private1: { heartbeat: 'private' } },
      nodes: Object.fromEntries(
        nodes.map((name, n) => [
          name,
          {
            public: { primary: 'eth0', address: `10.77.0.${n + 1}/16` },
            private1: { primary: 'hb0', address: `10.78.0.${n + 1}/24` },
          },
        ]),
      ),
      packages: { web: { nodes, movesMax: 1000, resources } },
    },
  );
}

/** Of the one package of `scaleNetwork`. */
export const FLOATING = '10.77.0.200';

/** Nodes with two NICs on the public net and one on a private net; the first four may have the package. */
export function scaleNetwork(nodes: number): Scenario {
  const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  const node = (n: number) => ({
    public: { primary: 'eth0', standby: ['eth1'], address: `10.77.0.${n + 1}/24` },
    private1: { primary: 'hb0', address: `10.78.0.${n + 1}/24` },
  });
  return scenario(
    'scale',
    {
      switches: ['left', 'heart'],
      nodes: Object.fromEntries(names.map((name) => [name, { eth0: 'left', eth1: 'left', hb0: 'heart' }])),
      clients: { client: { switch: 'left', addresses: [`${GATEWAY}/24`] } },
    },
    {
      nets: { public: { heartbeat: 'public', targets: [GATEWAY] }, private1: { heartbeat: 'private' } },
      nodes: Object.fromEntries(names.map((name, n) => [name, node(n)])),
      packages: { web: { nodes: names.slice(0, 4), resources: [{ address: FLOATING, net: 'public' }] } },
      // Two are no majority of each other, and there is no arbiter.
      ...(nodes === 2 && { quorum: 'none' }),
    },
  );
}
