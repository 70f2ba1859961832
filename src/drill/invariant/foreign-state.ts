import { floatingTexts } from '../../takeover/floating-address.js';
import { ADDRESS_PROTOCOL } from '../../takeover/ledger.js';
import { macvlansOf } from '../../takeover/macvlan.js';
import type { Action, Step } from '../../action.js';
import type { Cluster, ClusterNode } from '../../config/cluster.js';
import type { Address, Input } from '../../input.js';
import type { Node } from '../../node.js';
import { changeMs } from './bounds.js';
import type { Facts, Invariant, InvariantName } from './invariant.js';
import { Overdue } from './overdue.js';

/** The sysctls of DESIGN 5, by NIC. */
const SETTINGS = [
  ...['ipv4/conf/*/arp_ignore', 'ipv4/conf/*/arp_announce', 'ipv4/conf/*/rp_filter'],
  ...['ipv6/conf/*/keep_addr_on_down', 'ipv6/conf/*/accept_ra', 'ipv6/conf/*/autoconf'],
];

/** What of a host is baton's, by the cluster file that its daemon reads. */
class Domain {
  readonly nics: ReadonlySet<string>;
  readonly macvlans: ReadonlySet<string>;
  readonly followers: ReadonlySet<string>;
  readonly ours: ReadonlySet<string>;
  readonly self: ClusterNode;

  constructor(cluster: Cluster, node: string) {
    this.self = cluster.nodes.find(({ name }) => name === node)!;
    const cards = this.self.nets.flatMap(({ net, primary, standby }) =>
      [primary, ...standby].map((nic) => [nic, cluster.nets.find(({ name }) => name === net)?.mac] as const),
    );
    this.nics = new Set(cards.map(([nic]) => nic));
    this.followers = new Set(cards.filter(([, mac]) => mac === 'follow').map(([nic]) => nic));
    this.macvlans = new Set(macvlansOf(cluster, this.self).map(({ name }) => name));
    const stationary = this.self.nets.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    this.ours = new Set([...stationary, ...floatingTexts(cluster)]);
  }

  /** Null: baton may do that. */
  trespass(step: Step): string | null {
    const nics = 'route' in step ? (step.route.nextHops ?? [step.route]).map(({ nic }) => nic) : [step.nic];
    if (!nics.some((nic) => this.nics.has(nic) || this.macvlans.has(nic))) return `${nics.join(' and ')} is not its`;
    const [nic] = nics as [string];
    if (this.macvlans.has(nic)) return null;
    if (step.do === 'set-sysctl' && !SETTINGS.includes(step.name.replace(`/${nic}/`, '/*/')))
      return `that setting is not its`;
    if (step.do === 'set-mac' && !this.followers.has(nic)) return `the MAC of ${nic} is not to move`;
    if (step.do === 'set-link' || step.do === 'delete-macvlan' || step.do === 'add-macvlan')
      return `${nic} is not a macvlan of its`;
    return null;
  }
}

/** Of nobody's in the cluster file: an administrator's, or another program's. */
function isForeign(address: Address, domain: Domain): boolean {
  if (domain.ours.has(address.local)) return false;
  return address.family === 6 ? !/^fe[89ab]/i.test(address.local) : !address.local.startsWith('169.254.');
}

/**
 * S6: what baton did not add is bit-identical after it. Its hands touch its own NICs, macvlans and settings only; a foreign
 * address moves with its net and never gets lost; after an orderly stop with all addresses at home every setting is as it was
 * found, and nothing with baton's tag is left. Routes are S7's. Recordings: by what daemons were told of their kernels.
 */
export class ForeignState implements Invariant {
  readonly name: InvariantName = 'S6';
  readonly #facts: Facts;
  readonly #domains = new Map<string, Domain>();
  /** Node → foreign addresses that are there, as others left them. */
  readonly #foreign = new Map<string, Set<string>>();
  /** Those that went while the hands were at work. */
  readonly #lost = new Map<string, Set<string>>();
  readonly #byHands = new Set<string>();
  /** Node → sysctl → what it was when a daemon first came, of those that the hands set. */
  readonly #found = new Map<string, Map<string, string | undefined>>();
  readonly #set = new Map<string, Set<string>>();
  readonly #stopping = new Set<string>();
  /** Node → addresses that baton took off their primary NIC. Whoever puts them back there does not bring them home. */
  readonly #away = new Map<string, Set<string>>();
  readonly #overdue: Overdue;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#overdue = new Overdue(facts, changeMs());
  }

  stepping(node: string, input: Input, machine: Node): void {
    if (input.kind === 'stop-asked' && input.how === 'stop') this.#stopping.add(node);
    if (input.kind !== 'started') return;
    this.#stopping.delete(node);
    const domain = new Domain(machine.options.cluster, node);
    this.#domains.set(node, domain);
    // What an earlier run left stands in its run directory.
    if (input.run !== null && this.#found.has(node)) return;
    const host = this.#facts.host(node);
    const names = [...domain.nics].flatMap((nic) => SETTINGS.map((name) => name.replace('*', nic)));
    this.#found.set(node, new Map(names.map((name) => [name, host.setting(name)])));
    this.#away.delete(node);
    this.#set.set(node, new Set());
  }

  made(node: string, step: Step): void {
    this.#byHands.add(node);
    const domain = this.#domains.get(node);
    const why = domain?.trespass(step) ?? null;
    if (why !== null) this.#facts.violated('S6', `${node} does ${JSON.stringify(step)}: ${why}`);
    if (step.do === 'set-sysctl') this.#set.get(node)?.add(step.name);
    if (step.do === 'add-address' || step.do === 'delete-address') this.#moved(node, step);
  }

  #moved(node: string, { do: what, nic, address }: Extract<Step, { do: 'add-address' | 'delete-address' }>): void {
    const isPrimary = this.#domains.get(node)?.self.nets.some(({ primary }) => primary === nic);
    if (isPrimary !== true) return;
    const away = this.#away.get(node) ?? new Set();
    this.#away.set(node, away);
    if (what === 'delete-address') away.add(address.local);
    else away.delete(address.local);
  }

  changed(touched: ReadonlySet<string>): void {
    for (const node of touched) this.#look(node);
  }

  stepped(node: string, _input: Input, actions: readonly Action[]): void {
    if (actions.some((action) => action.kind === 'exit' && action.code === 0) && this.#stopping.has(node))
      this.#left(node);
  }

  #look(node: string): void {
    const domain = this.#domains.get(node);
    if (domain === undefined) return;
    const there = new Set<string>();
    for (const { addresses } of this.#facts.host(node).nics())
      for (const address of addresses)
        if (isForeign(address, domain)) there.add(`${address.local}/${address.prefixLength}`);
    const known = this.#foreign.get(node) ?? there;
    const lost = this.#lost.get(node) ?? new Set<string>();
    const byHands = this.#byHands.delete(node);
    for (const address of known) if (!there.has(address) && byHands) lost.add(address);
    for (const address of lost) if (there.has(address)) lost.delete(address);
    this.#lost.set(node, lost);
    this.#foreign.set(node, new Set([...there, ...lost]));
    for (const address of known)
      this.#overdue.note(node, `${node} ${address}`, lost.has(address), () =>
        this.#facts.violated('S6', `${node} lost ${address}, which was not baton's, by a change of baton's`),
      );
  }

  /** Its hands have done all when it says that it ends. */
  #left(node: string): void {
    const host = this.#facts.host(node);
    const domain = this.#domains.get(node)!;
    const on = new Map([...host.nics()].map(({ name, addresses }) => [name, addresses]));
    const has = (nic: string, address: string): boolean => on.get(nic)?.some(({ local }) => local === address) === true;
    const { nets } = domain.self;
    const isHome = (primary: string, address: string): boolean =>
      has(primary, address) && this.#away.get(node)?.has(address) !== true;
    if (!nets.every(({ primary, addresses }) => addresses.every(({ address }) => isHome(primary, address)))) return;
    for (const [name, addresses] of on)
      for (const { local, protocol } of addresses)
        if (protocol === ADDRESS_PROTOCOL && !nets.some(({ primary }) => primary === name))
          this.#facts.violated('S6', `${node} stopped and left ${local} on ${name}`);
    for (const name of this.#set.get(node) ?? []) {
      const found = this.#found.get(node)?.get(name);
      const now = host.setting(name);
      if (found !== undefined && now !== undefined && now !== found)
        this.#facts.violated('S6', `${node} stopped and left ${name} at ${now}; it was ${found}`);
    }
  }
}
