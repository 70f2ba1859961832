/** Each standby shows at all times whether it would work if it were needed, and if not, why. */
import type { Action } from '../action.js';
import type { NodeNet } from '../config/cluster.js';
import type { Ms, NicObservation } from '../input.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import type { HealthState, NetState, NicState } from './state.js';
import { isLinkLocal } from './target.js';
import { describe } from './verdict.js';

export function reviewReadiness(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): void {
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    if (nic.role === 'primary' || nic.link === 'unseen') continue;
    const why = reasons(world, nic);
    if (why.join() === nic.readiness.join()) continue;
    const from = describeReadiness(nic.readiness);
    nic.readiness = why;
    const about = { net: net.name, nic: name };
    const to = describeReadiness(why);
    const cause = why.length === 0 ? 'ready' : 'unfit';
    out.push({ kind: 'journal', entry: { at: now, event: 'readiness', ...about, from, to, cause, evidence: { why } } });
    const key = `unfit ${name}`;
    if (why.length === 0) clear({ state, now, out }, key, about);
    else raise({ state, now, out }, key, 'standby-unfit', `standby ${name} is not fit: ${why.join(', ')}`, about);
  }
}

function describeReadiness(why: string[]): string {
  return why.length === 0 ? 'ready' : why.join(', ');
}

/** Of every net that it stands by for. */
function reasons(world: World, nic: NicState): string[] {
  const { health, reason } = nic.verdict;
  // A missed poll is a question; the answer comes within a window.
  const why = health === 'up' || reason === 'missed' ? [] : [describe(nic.verdict)];
  const standby = world.host[nic.nic];
  if (standby === undefined) return why;
  const served = world.self.nets.filter((part) => part.standby.includes(nic.nic));
  for (const part of served) why.push(...unlikeness(world, part, standby));
  // What one net has there is no stranger to the others.
  const [first = [], ...rest] = served.map((part) => foreignAddresses(part, world.host[part.primary], standby));
  const foreign = first.filter((address) => rest.every((each) => each.includes(address)));
  if (foreign.length > 0) why.push(`carries ${foreign.join(', ')}`);
  return [...new Set(why)];
}

function unlikeness(world: World, file: NodeNet, standby: NicObservation): string[] {
  const why: string[] = [];
  const primary = world.host[file.primary];
  if (primary !== undefined) why.push(...differences(primary, standby));
  const carried = [...(primary?.addresses ?? []), ...file.addresses.map((it) => ({ ...it, local: it.address }))];
  if (carried.some(({ family, local }) => family === 6 && !isLinkLocal(local))) why.push(...withoutIpv6(standby));
  return why;
}

function differences(primary: NicObservation, standby: NicObservation): string[] {
  const why: string[] = [];
  if (standby.mtu !== primary.mtu) why.push(`MTU ${standby.mtu}, not ${primary.mtu}`);
  if (standby.linkType !== primary.linkType) why.push(`link type ${standby.linkType}, not ${primary.linkType}`);
  if (standby.master !== primary.master)
    why.push(standby.master === undefined ? `not in ${primary.master}` : `in ${standby.master}`);
  return why;
}

function withoutIpv6(standby: NicObservation): string[] {
  const off = Object.entries(standby.settings).some(
    ([name, value]) => name.endsWith('disable_ipv6') && value.trim() === '1',
  );
  if (off) return ['disable_ipv6 is set'];
  const linkLocal = standby.addresses.some(({ family, local }) => family === 6 && isLinkLocal(local));
  return linkLocal ? [] : ['no link-local address'];
}

/** The net's own addresses may be here because they were switched to it, learnt ones with them; then the primary has none. */
function foreignAddresses(file: NodeNet, primary: NicObservation | undefined, standby: NicObservation): string[] {
  const own = new Set(file.addresses.map(({ address }) => address));
  const global = (nic: NicObservation | undefined): string[] =>
    (nic?.addresses ?? []).map(({ local }) => local).filter((local) => !isLinkLocal(local));
  const here = global(standby);
  const carriesNet = global(primary).length === 0 && (own.size === 0 || here.some((local) => own.has(local)));
  return carriesNet ? [] : here.filter((local) => !own.has(local));
}
