/** Recordings of a cluster as facts: what of the world reaches its nodes, in one clock. */
import type { Action } from '../../action.js';
import type { Cluster } from '../../config/cluster.js';
import type { RecordedInput } from '../../daemon/recording.js';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../../frame/ethernet.js';
import type { Ms } from '../../input.js';
import { floatingTexts } from '../../takeover/floating-address.js';
import { hasGate } from '../../takeover/gate-order.js';
import { allInvariants, type Choice } from '../invariant/all.js';
import { Invariants, type Facts, type InvariantName } from '../invariant/invariant.js';
import type { Player } from './player.js';
import { RecordedHolds } from './recorded-holds.js';
import { RecordedHost } from './recorded-host.js';

interface Timer {
  at: Ms;
  run: () => void;
}

export class RecordedScene implements Facts {
  readonly lab = null;
  isUnopened = false;
  readonly cluster: Cluster;
  readonly nodes: readonly string[];
  readonly floating: readonly string[];
  readonly invariants: Invariants;
  readonly holds: RecordedHolds;
  /** Nodes whose daemon has written its last line. */
  readonly ended = new Set<string>();
  readonly #hosts = new Map<string, RecordedHost>();
  readonly #violated: Facts['violated'];
  readonly #timers: Timer[] = [];
  #now: Ms;

  constructor(
    clusters: readonly Cluster[],
    from: Ms,
    violated: (name: InvariantName, text: string) => void,
    choice: Choice = {},
  ) {
    this.cluster = clusters[0]!;
    this.#now = from;
    this.#violated = violated;
    this.nodes = this.cluster.nodes.map(({ name }) => name);
    this.floating = [...new Set(clusters.flatMap(floatingTexts))];
    for (const name of this.nodes) this.#hosts.set(name, new RecordedHost(hasGate(this.cluster), () => this.#now));
    this.invariants = new Invariants(this, allInvariants(this, choice));
    this.holds = new RecordedHolds(this, from);
  }

  now(): Ms {
    return this.#now;
  }

  after(ms: Ms, run: () => void): void {
    const at = this.#now + ms;
    const place = this.#timers.findIndex((timer) => timer.at > at);
    this.#timers.splice(place < 0 ? this.#timers.length : place, 0, { at, run });
  }

  host(node: string): RecordedHost {
    return this.#hosts.get(node)!;
  }

  answering(address: string): readonly string[] {
    return this.nodes.filter((name) => this.host(name).has(address) && this.host(name).lets(address));
  }

  calmSince(): Ms {
    return Infinity;
  }

  violated(name: InvariantName, text: string): void {
    this.#violated(name, text);
  }

  /** All that waits until then happens. */
  advance(to: Ms): void {
    for (let next = this.#timers[0]; next !== undefined && next.at <= to; next = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = Math.max(this.#now, to);
  }

  /** One input of one node, at the present moment. */
  play(player: Player, entry: RecordedInput): Action[] {
    const { node } = player.tape.start;
    const { invariants } = this;
    const host = this.host(node);
    const closesAt = host.closesAt;
    this.ended.delete(node);
    this.isUnopened = entry.opened !== undefined && entry.opened.every((plain) => plain === null);
    invariants.stepping(node, entry.input, player.machine, entry.at);
    const made = host.take(entry.input);
    const actions = player.step(entry);
    host.ask(actions, this.#now - entry.at);
    invariants.stepped(node, entry.input, actions, player.machine);
    for (const step of made) invariants.made(node, step);
    for (const action of actions)
      if (action.kind === 'send-frame' && isWord(action.bytes)) invariants.spoken(node, action.bytes);
    if (host.closesAt !== closesAt && host.closesAt > this.#now)
      this.after(host.closesAt - this.#now, () => this.#changed(node));
    this.#changed(node);
    return actions;
  }

  /** The last line of that node's run. */
  end(node: string): void {
    this.host(node).end();
    this.ended.add(node);
    this.#changed(node);
  }

  #changed(node: string): void {
    this.invariants.changed(new Set([node]));
    this.holds.look();
  }
}

function isWord(bytes: Uint8Array): boolean {
  const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  return etherType === ETHERTYPE_ARP || etherType === ETHERTYPE_IPV6;
}
