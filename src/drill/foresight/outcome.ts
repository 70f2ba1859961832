/** What came of a rehearsal: who holds what, and what clients felt, package by package. */
import type { Ms } from '../../input.js';
import { floatingAddresses } from '../../takeover/floating-address.js';
import type { DrillReport } from '../report.js';
import type { Rehearsed } from './rehearsal.js';
import type { Situation } from './situation.js';

export interface Outage {
  /** The longest; 0: none above 5 ms. */
  ms: Ms;
  /** It did not answer again until the end. */
  forGood: boolean;
}

export interface PackageOutcome extends Outage {
  package: string;
  before: string | null;
  after: string | null;
}

/** A stationary address. */
export interface AddressOutcome extends Outage {
  address: string;
  node: string;
}

export interface Outcome {
  packages: PackageOutcome[];
  addresses: AddressOutcome[];
  /** Two nodes answered for one floating address. */
  twoHolders: { address: string; nodes: string[]; ms: Ms }[];
  /** Pairs of nodes whose heartbeats have none but public paths left. */
  rerouted: [string, string][];
}

/** A gap that ends so late has not ended. */
const OPEN_MS: Ms = 3;
/** A gap that began so early before a fault is of the fault. */
const PROBED_EVERY_MS: Ms = 2;
/** A holder is known by its answers: the newest is up to so old while it holds (kernel: three questions). */
const ANSWERED_MS: Ms = 60;

export function outcomeOf(situation: Situation, { report, fromMs }: Rehearsed): Outcome {
  const { cluster } = situation;
  const floating = floatingAddresses(cluster);
  const stationary = cluster.nodes.flatMap(({ name, nets }) =>
    nets.flatMap(({ addresses }) => addresses.map(({ address }) => ({ address, node: name }))),
  );
  const probed = new Set(report.outages.map(({ address }) => address));
  return {
    packages: cluster.packages.map(({ name }) => {
      const own = floating.filter((one) => one.package === name).map(({ prefix }) => prefix.address);
      const outages = own.filter((address) => probed.has(address)).map((address) => outageOf(report, address, fromMs));
      return {
        package: name,
        before: holderAt(report, own, fromMs),
        after: report.holders[name] ?? null,
        ms: Math.max(0, ...outages.map(({ ms }) => ms)),
        forGood: outages.some(({ forGood }) => forGood),
      };
    }),
    addresses: stationary
      .filter(({ address }) => probed.has(address))
      .map(({ address, node }) => ({ address, node, ...outageOf(report, address, fromMs) })),
    twoHolders: (report.twoHolders?.overlaps ?? [])
      .filter(({ toMs }) => toMs > fromMs)
      .map(({ address, nodes, fromMs: from, toMs }) => ({ address, nodes, ms: toMs - from })),
    rerouted: reroutedIn(report, fromMs),
  };
}

function outageOf(report: DrillReport, address: string, fromMs: Ms): Outage {
  const gaps = report.outages
    .filter((one) => one.address === address)
    .flatMap((one) => one.gaps)
    .filter((gap) => gap.toMs > fromMs);
  return {
    ms: gaps.reduce((longest, gap) => Math.max(longest, gap.toMs - gap.fromMs), 0),
    forGood: gaps.some((gap) => gap.toMs >= report.endedAt - OPEN_MS && gap.fromMs >= fromMs - PROBED_EVERY_MS),
  };
}

function holderAt({ holds }: DrillReport, addresses: readonly string[], at: Ms): string | null {
  const [address] = addresses;
  const then = holds.filter((one) => one.address === address && one.fromMs <= at && one.toMs >= at - ANSWERED_MS);
  return then.sort((a, b) => b.toMs - a.toMs)[0]?.node ?? null;
}

/** Told by both ends, and not over. */
function reroutedIn({ timeline }: DrillReport, fromMs: Ms): [string, string][] {
  const pairs = new Map<string, [string, string]>();
  for (const { at, entry } of timeline) {
    if (entry?.event !== 'rerouted' || entry.peer === undefined || at < fromMs) continue;
    const pair = [entry.node, entry.peer].sort() as [string, string];
    if (entry.to === 'public') pairs.set(pair.join(' '), pair);
    else pairs.delete(pair.join(' '));
  }
  return [...pairs.values()];
}
