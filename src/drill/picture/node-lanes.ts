/** The lanes of one node, made from its journal: NICs, role, lease, gate, packages, peers, alarms. */
import type { Ms } from '../../input.js';
import type { Setting } from '../setting.js';
import type { Absence, Told } from './absence.js';
import { Track, type Lane, type LaneGroup } from './lane.js';
import type { Tone } from './palette.js';

/** Of what a lane tells only that it is so. */
const CALM = { tone: 'quiet' } as const;

export function nodeGroup(
  setting: Pick<Setting, 'nodes' | 'packages'>,
  node: Setting['nodes'][number],
  journal: readonly Told[],
  away: readonly Absence[],
  toneOf: (node: string) => Tone,
  endMs: Ms,
): LaneGroup {
  const lanes = new NodeLanes(setting, node, toneOf);
  const own = journal.filter((entry) => entry.node === node.name);
  const ends = away.filter(({ text }) => text !== 'daemon frozen').map(({ fromMs }) => fromMs);
  for (const entry of own) {
    while (ends[0] !== undefined && ends[0] <= entry.at) lanes.end(ends.shift()!);
    lanes.take(entry);
  }
  for (const at of ends) lanes.end(at);
  return {
    title: node.name,
    tone: toneOf(node.name),
    lanes: lanes.all(endMs),
    away: away.map(({ fromMs, toMs, text }) => ({ fromMs, toMs, text, tone: 'quiet' })),
  };
}

class NodeLanes {
  readonly #setting: Pick<Setting, 'nodes' | 'packages'>;
  readonly #node: Setting['nodes'][number];
  readonly #toneOf: (node: string) => Tone;
  /** Label of the lane → its track, in the order in which lanes stand. */
  readonly #tracks = new Map<string, Track>();
  readonly #health = new Map<string, string>();
  /** Address → NIC that has it. */
  readonly #carried = new Map<string, string>();
  #role = 'follower';
  #coordinator: string | null = null;
  readonly #peers = new Map<string, { health: string; down: Set<string>; rerouted: boolean }>();
  readonly #alarms = new Map<string, string>();

  constructor(
    setting: Pick<Setting, 'nodes' | 'packages'>,
    node: Setting['nodes'][number],
    toneOf: (node: string) => Tone,
  ) {
    this.#setting = setting;
    this.#node = node;
    this.#toneOf = toneOf;
    for (const { name } of node.nics) this.#tracks.set(name, new Track());
    const runs = setting.packages.map((one) => `runs ${one.name}`);
    const hears = setting.nodes.filter((other) => other.name !== node.name).map((other) => `hears ${other.name}`);
    for (const label of ['role', 'lease', 'gate', ...runs, ...hears, 'alarms']) this.#tracks.set(label, new Track());
  }

  all(endMs: Ms): Lane[] {
    const lanes = [...this.#tracks].map(([label, track]) => {
      const nic = this.#node.nics.find(({ name }) => name === label);
      const words = nic ? [nic.net, nic.role].filter((word) => word !== null) : [];
      return {
        label: [label, ...words.slice(1)].join(', '),
        ...(nic && { detail: [`NIC ${label} of ${this.#node.name}`, ...words].join(', ') }),
        segments: track.segments(endMs),
        nic: nic !== undefined,
      };
    });
    return lanes.filter(({ nic, segments }) => nic || segments.length > 0).map(({ nic: _, ...lane }) => lane);
  }

  /** The daemon is gone, and with it all that it knew. */
  end(at: Ms): void {
    for (const track of this.#tracks.values()) track.set(at, null);
    for (const memory of [this.#health, this.#carried, this.#peers, this.#alarms]) memory.clear();
    [this.#role, this.#coordinator] = ['follower', null];
  }

  take(entry: Told): void {
    const { at } = entry;
    switch (entry.event) {
      case 'node-started':
        this.end(at);
        break;
      case 'nic-health':
        if (entry.nic !== undefined && entry.to !== undefined) this.#health.set(entry.nic, entry.to);
        break;
      case 'adopted':
      case 'switch-done':
        for (const address of addressesIn(entry)) this.#carried.set(address, (entry.to ?? entry.nic)!);
        break;
      case 'announced':
        if (entry.nic !== undefined && entry.address !== undefined) this.#carried.set(entry.address, entry.nic);
        break;
      case 'role':
        this.#role = entry.to ?? 'follower';
        break;
      case 'coordinator':
        this.#coordinator = entry.to ?? null;
        break;
      case 'lease':
        this.#track('lease').set(
          at,
          entry.to === 'valid' ? { tone: 'good', text: 'valid' } : { ...CALM, text: 'none' },
        );
        break;
      case 'gate':
        if (entry.to !== undefined)
          this.#track('gate').set(
            at,
            entry.to === 'open' ? { tone: 'good', text: 'open' } : { ...CALM, text: 'closed' },
          );
        break;
      case 'package':
        this.#package(entry);
        break;
      case 'peer-health':
      case 'path':
      case 'rerouted':
        this.#peer(entry);
        break;
      case 'alarm-raised':
      case 'alarm-cleared':
        this.#alarm(entry);
        break;
      default:
        return;
    }
    this.#showNics(at);
    if (entry.event === 'role' || entry.event === 'coordinator') this.#showRole(entry);
  }

  #track(label: string): Track {
    const track = this.#tracks.get(label) ?? new Track();
    this.#tracks.set(label, track);
    return track;
  }

  #showNics(at: Ms): void {
    for (const { name, role } of this.#node.nics) {
      const health = this.#health.get(name);
      if (health === undefined) continue;
      const carries = [...this.#carried].filter(([, nic]) => nic === name).map(([address]) => address);
      const verdict = health.split(' ')[0];
      const tone = verdict === 'down' ? 'bad' : verdict === 'suspect' ? 'warn' : 'good';
      const text =
        carries.length === 0 ? (health === 'up' && role === 'standby' ? 'up, waits' : health) : carries.join(', ');
      const shown = carries.length > 0 && verdict !== 'up' ? `${health}: ${text}` : text;
      const detail = carries.length === 0 ? health : `${health}, carries ${carries.join(', ')}`;
      this.#track(name).set(at, { tone, text: shown, detail, thin: carries.length === 0 && tone === 'good' });
    }
  }

  #showRole({ at, evidence }: Told): void {
    const term = typeof evidence?.['term'] === 'number' ? `, term ${evidence['term']}` : '';
    const follows = this.#coordinator !== null && this.#coordinator !== this.#node.name;
    if (this.#role === 'coordinator')
      this.#track('role').set(at, { tone: this.#toneOf(this.#node.name), text: `coordinator${term}` });
    else if (this.#role !== 'follower') this.#track('role').set(at, { tone: 'warn', text: `${this.#role}${term}` });
    else
      this.#track('role').set(at, {
        ...CALM,
        text: follows ? `follows ${this.#coordinator}${term}` : 'no coordinator',
      });
  }

  #package(entry: Told): void {
    const name = entry.package ?? '';
    const label = `runs ${name}`;
    const { to: state, at } = entry;
    if (state === 'halted' || state === undefined) {
      this.#track(label).set(at, null);
      const floating = this.#setting.packages.find((one) => one.name === name)?.addresses ?? [];
      for (const address of floating) this.#carried.delete(address);
    } else if (state === 'running')
      this.#track(label).set(at, { tone: this.#toneOf(this.#node.name), text: name, detail: `${name} runs here` });
    else
      this.#track(label).set(at, {
        tone: state === 'failed' || state === 'unclean' ? 'bad' : 'warn',
        text: state,
        detail: `${name} is ${state}`,
      });
  }

  #peer(entry: Told): void {
    const name = entry.peer ?? '';
    const peer = this.#peers.get(name) ?? { health: 'unheard', down: new Set<string>(), rerouted: false };
    this.#peers.set(name, peer);
    if (entry.event === 'peer-health') peer.health = entry.to ?? peer.health;
    else if (entry.event === 'rerouted') peer.rerouted = entry.to === 'public';
    else if (entry.net !== undefined) {
      if (entry.to === 'down') peer.down.add(entry.net);
      else peer.down.delete(entry.net);
    }
    const { health, down, rerouted } = peer;
    const troubled = down.size > 0 || rerouted || health === 'suspect';
    const tone =
      health === 'lost'
        ? 'bad'
        : health === 'alive' && !troubled
          ? 'good'
          : health === 'alive' || health === 'suspect'
            ? 'warn'
            : 'quiet';
    const paths = health === 'lost' || health === 'left' ? [] : [...down].map((net) => `${net} down`);
    const text = [health, ...(rerouted ? ['rerouted'] : []), ...paths].join(', ');
    this.#track(`hears ${name}`).set(entry.at, { tone, text });
  }

  #alarm(entry: Told): void {
    const key = [entry.cause, entry.net, entry.nic, entry.peer, entry.package]
      .filter((word) => word !== undefined)
      .join(' ');
    if (entry.event === 'alarm-raised') this.#alarms.set(key, entry.cause);
    else this.#alarms.delete(key);
    const words = [...new Set(this.#alarms.values())].join(', ');
    this.#track('alarms').set(
      entry.at,
      words === '' ? null : { tone: 'bad', text: words, detail: [...this.#alarms.keys()].join('; ') },
    );
  }
}

function addressesIn({ evidence }: Told): string[] {
  const all: unknown = evidence?.['addresses'];
  return Array.isArray(all) ? all.filter((one) => typeof one === 'string').map((one) => one.split('/')[0]!) : [];
}
