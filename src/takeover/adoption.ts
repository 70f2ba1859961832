/**
 * The first look: what an earlier run left and what the kernel has decide where each net lies. A plan that a crash cut
 * short is finished; a restart goes on where it was; a first start takes over what it finds on the primary.
 */
import type { NodeNet } from '../config/cluster.js';
import { journal } from './account.js';
import { withoutFloating } from './floating-address.js';
import { readCarrier, withFile } from './learning.js';
import { emptyPortfolio } from './portfolio.js';
import type { RunNet } from './run-record.js';
import { type NetState, nicsOf, type Turn } from './state.js';

export function adopt(turn: Turn, own: NodeNet, net: NetState): void {
  const { world, state, now } = turn;
  const left = state.run?.nets[own.net];
  const known = left && isOfThisFile(left, own) ? left : undefined;
  net.carrier = known ? (known.plan?.from ?? known.carrier) : whereFound(turn, own);
  net.unfinished = known?.plan ? (known.plan.to in world.host ? known.plan.to : known.plan.from) : null;
  net.manual = known?.manual ?? false;
  net.macs = { ...known?.macs };
  const seen = world.host[net.carrier];
  const found = seen ? readCarrier(turn, own, net, seen) : emptyPortfolio(now);
  // A primary that carries tells the truth; one that lost its carrier may have been stripped.
  const isTruth = seen?.carrier === true && net.carrier === own.primary && net.unfinished === null;
  net.portfolio = withFile(known && !isTruth ? withoutFloating(world.cluster, known.portfolio) : found, own);
  const addresses = net.portfolio.addresses.map((x) => x.local);
  if (known) {
    const cause = known.plan ? 'unfinished' : 'left-by-earlier-run';
    journal(turn, {
      event: 'adopted',
      net: net.net,
      nic: net.carrier,
      cause,
      evidence: { addresses, plan: known.plan },
    });
  } else {
    const cause = left ? 'record-of-other-file' : 'found';
    journal(turn, { event: 'adopted', net: net.net, nic: net.carrier, cause, evidence: { addresses } });
  }
}

/** A record whose NICs are not those of the cluster file any more makes no sense. */
function isOfThisFile(left: RunNet, own: NodeNet): boolean {
  const nics = nicsOf(own);
  const named = [left.carrier, ...(left.plan ? [left.plan.from, left.plan.to] : [])];
  const expressed = left.portfolio.routes.every((route) => route.nextHops !== undefined || route.nic === own.primary);
  return named.every((nic) => nics.includes(nic)) && expressed;
}

/** The NIC that has most of the addresses of the cluster file, the primary among equals. */
function whereFound({ world }: Turn, own: NodeNet): string {
  const wanted = own.addresses.map((prefix) => prefix.address);
  const count = (nic: string): number => world.host[nic]?.addresses.filter((x) => wanted.includes(x.local)).length ?? 0;
  return nicsOf(own).reduce((best, nic) => (count(nic) > count(best) ? nic : best), own.primary);
}
