/**
 * `mac: follow`: in a local switch the MAC of the primary moves along with the addresses, so that no neighbour notices.
 *
 *   switch away:  old NIC gets a spare MAC, the standby the primary's ──▶ test frames out of the standby ──answered──▶
 *                 the plan; unanswered: the standby gets its own back, a plain switch, and an alarm;
 *                 the standby fails meanwhile: all get theirs back, and it is decided anew
 *   switch back:  the standby gets its own MAC, then the primary its own: no test, it is the card's
 *
 * What each card had at first is in switch.json: a run that was killed half-way is finished or undone by it.
 */
import type { Step } from '../action.js';
import type { NodeNet } from '../config/cluster.js';
import { spareMac } from '../frame/mac.js';
import type { Ms, SwitchFailure } from '../input.js';
import { clear, journal, raise, record } from './account.js';
import type { Wish } from './change.js';
import { hindrance, isJudged, words } from './choice.js';
import type { Plan } from './plan.js';
import { runRecord } from './run-record.js';
import { type NetState, netOf, nicsOf, type Turn } from './state.js';
import { beginTrial, endTrial, isTried, trialOf } from './trial.js';

/** A card that is set down for its new MAC has its carrier again so soon. */
const LIT_WITHIN: Ms = 10_000;

/** A switch that waits for its MAC. */
export interface Following {
  wish: Omit<Wish, 'to'>;
  to: string;
  /** `change-host` that moves the MAC, or puts it back; null: it is done. */
  change: number | null;
  movedAt: Ms;
  /** The standby was fit at some moment since. */
  wasFit: boolean;
  /** What puts all MACs back, in this order. */
  back: MacChange[];
  /** They are being put back: the switch is off. */
  isOff: boolean;
}

/** A card's own MAC. `ifindex` tells a new card of the same name. */
export interface CardMac {
  mac: string;
  ifindex: number;
}

export function follows({ world }: Pick<Turn, 'world'>, net: string): boolean {
  return netOf(world, net)?.mac === 'follow';
}

function homeMac(own: NodeNet, net: NetState): string | undefined {
  return net.macs[own.primary]?.mac;
}

/** Cards just seen. What another program sets while all is at home becomes the card's own. */
export function learnMacs(turn: Turn): void {
  const { world, state } = turn;
  state.remade = state.remade.filter((nic) => nic in world.moving);
  for (const own of world.self.nets) {
    const net = state.nets[own.net];
    if (!net || !follows(turn, own.net)) continue;
    for (const nic of nicsOf(own)) {
      const seen = world.host[nic];
      if (seen === undefined) continue;
      const known = net.macs[nic];
      const isNew = known?.ifindex !== seen.ifindex;
      const home = homeMac(own, net);
      const isOurs = home !== undefined && (seen.mac === home || seen.mac === spareMac(home));
      const isAtRest = net.carrier === own.primary && net.change === null && net.following === null;
      if (isNew || (isAtRest && !isOurs && net.unseen.length === 0))
        net.macs[nic] = { mac: seen.mac, ifindex: seen.ifindex };
    }
  }
}

/** Some card has, while all is at home, a MAC that a switch gave it. */
export function hasStrayMac(turn: Turn, own: NodeNet, net: NetState): boolean {
  return follows(turn, own.net) && net.carrier === own.primary && homeward(turn, own, net).length > 0;
}

interface MacChange {
  nic: string;
  from: string;
  to: string;
}

/** All cards to their own MACs, the primary last. */
function homeward({ world }: Turn, own: NodeNet, net: NetState): MacChange[] {
  return [...own.standby, own.primary].flatMap((nic) => {
    const seen = world.host[nic];
    const card = net.macs[nic];
    return seen && card && seen.mac !== card.mac ? [{ nic, from: seen.mac, to: card.mac }] : [];
  });
}

/** The primary's MAC to that standby; whoever has it gets another one first. */
function away({ world }: Turn, own: NodeNet, net: NetState, to: string): MacChange[] {
  const mac = homeMac(own, net);
  const seen = world.host[to];
  if (mac === undefined || seen === undefined) return [];
  const holders = nicsOf(own).flatMap((nic): MacChange[] => {
    const other = world.host[nic];
    if (nic === to || other?.mac !== mac) return [];
    return [{ nic, from: mac, to: nic === own.primary ? spareMac(mac) : (net.macs[nic]?.mac ?? spareMac(mac)) }];
  });
  return seen.mac === mac ? holders : [...holders, { nic: to, from: seen.mac, to: mac }];
}

function stepsOf(changes: readonly MacChange[]): { steps: Step[]; undo: Step[] } {
  return {
    steps: changes.map(({ nic, to }) => ({ do: 'set-mac', nic, mac: to })),
    undo: changes.map(({ nic, from }) => ({ do: 'set-mac', nic, mac: from })),
  };
}

/** Before the steps of the plan: a new MAC makes the kernel forget the neighbours of the NIC. */
export function withMacs(turn: Turn, own: NodeNet, net: NetState, wish: Wish, plan: Plan): void {
  if (!follows(turn, own.net)) return;
  const to = wish.to.nic;
  const goesHome = to === own.primary;
  if (!goesHome && (wish.kind === 'mend' || wish.mac === undefined)) return;
  const changes = goesHome
    ? homeward(turn, own, net)
    : wish.mac === 'mac'
      ? away(turn, own, net, to)
      : ownMac(turn, net, to);
  const { steps, undo } = stepsOf(changes);
  plan.steps.unshift(...steps);
  plan.undo.unshift(...undo);
  remake(turn, changes);
  net.macSet = changes.find(({ nic }) => nic === to)?.to ?? null;
  const mac = homeMac(own, net);
  if (goesHome) clear(turn, `mac ${net.net}`);
  if (goesHome && mac !== undefined && net.macSet === mac)
    journal(turn, { event: 'mac-taken', net: net.net, nic: to, cause: wish.cause, evidence: { mac } });
}

/** What is seen of them is out of date until they are looked at. */
function remake({ state }: Turn, changes: readonly MacChange[]): void {
  state.remade = [...new Set([...state.remade, ...changes.map(({ nic }) => nic)])];
}

function ownMac({ world }: Turn, net: NetState, nic: string): MacChange[] {
  const seen = world.host[nic];
  const card = net.macs[nic];
  return seen && card && seen.mac !== card.mac ? [{ nic, from: seen.mac, to: card.mac }] : [];
}

/** True: the switch waits until it is known whether the MAC may move. */
export function mustTry(turn: Turn, own: NodeNet, net: NetState, wish: Wish): boolean {
  const { state, out } = turn;
  const { kind, to } = wish;
  const mac = homeMac(own, net);
  if (kind !== 'switch' || wish.mac !== undefined || !follows(turn, own.net)) return false;
  if (to.nic === own.primary || mac === undefined || to.mac === mac) return false;
  const id = state.nextId++;
  const { cause, portfolio, evidence, operator } = wish;
  const changes = away(turn, own, net, to.nic);
  net.following = {
    wish: { kind, cause, portfolio, evidence, operator },
    to: to.nic,
    change: id,
    movedAt: turn.now,
    wasFit: false,
    back: changes.map(({ nic, from, to: given }) => ({ nic, from: given, to: from })).reverse(),
    isOff: false,
  };
  journal(turn, { event: 'mac-taken', net: net.net, nic: to.nic, cause: wish.cause, evidence: { mac } });
  remake(turn, changes);
  out.push({ kind: 'change-host', id, ...stepsOf(changes), record: runRecord(turn) });
  return true;
}

/** `host-changed`. False: that id is none of these. */
export function macMoved(turn: Turn, id: number, failed: SwitchFailure | undefined): boolean {
  const { world, state } = turn;
  const own = world.self.nets.find(({ net }) => state.nets[net]?.following?.change === id);
  const net = own && state.nets[own.net];
  if (!own || !net?.following) return false;
  const { following } = net;
  following.change = null;
  const failure = failed && `${failed.code} ${failed.text}`.trim();
  if (following.isOff) {
    net.following = null;
    net.dirty = true;
    net.unseen = following.back.map(({ nic }) => nic).filter((nic) => nic in world.host);
    net.unseenSince = turn.now;
    if (failure !== undefined)
      raise(turn, `mac ${net.net}`, 'mac-refused', `the MAC of ${net.net} cannot leave ${following.to}: ${failure}`);
    return true;
  }
  following.movedAt = turn.now;
  if (failure !== undefined) refuse(turn, net, following, failure);
  else test(turn, own, net, following);
  return true;
}

function test(turn: Turn, own: NodeNet, net: NetState, following: Following): void {
  const mac = homeMac(own, net);
  if (mac !== undefined) beginTrial(turn, keyOf(own, following), { net: own.net, nic: following.to, mac });
}

function keyOf(own: NodeNet, { to }: Following): string {
  return `follow ${own.net} ${to}`;
}

function refuse(turn: Turn, net: NetState, following: Following, failure: string): void {
  const { to, wish } = following;
  journal(turn, { event: 'mac-tested', net: net.net, nic: to, to: 'plain', cause: 'refused', evidence: { failure } });
  raise(turn, `mac ${net.net}`, 'mac-refused', `the MAC of ${net.net} cannot go to ${to}: ${failure}`);
  wish.mac = 'plain';
  // The hands have taken back what they had done.
  following.back = [];
}

/**
 * A test takes long enough for its standby to fail: then the switch is off. A card that is set down for a new MAC has no
 * carrier by our own doing: it is waited for, and tested then. One that is not heard under that MAC is what the test is for.
 */
export function reconsider(turn: Turn, own: NodeNet, net: NetState): void {
  const { world, state } = turn;
  const { following } = net;
  // What is seen of a NIC that is being changed is out of date.
  if (following === null || following.change !== null || following.to in world.moving) return;
  const key = keyOf(own, following);
  const verdict = turn.verdict(following.to);
  const isLost = verdict.health === 'down' && !isJudged(verdict);
  const why = hindrance(turn, own, following.to) ?? (isLost ? `is ${words(verdict)}` : null);
  if (why === null) {
    following.wasFit = true;
    if (following.wish.mac === undefined && !isTried(turn, key)) test(turn, own, net, following);
    return;
  }
  endTrial(turn, key);
  const isNeeded = state.stopping === null && turn.verdict(net.carrier).health === 'down';
  const isSetDown = verdict.reason === 'carrier' && turn.now < (litAt(net) ?? 0);
  if (!(isNeeded && isSetDown)) callOff(turn, own, net, following, `${following.to} ${why}`);
}

/** When the standby must have its carrier at the latest; null: it had it, or nothing waits. */
export function litAt({ following }: NetState): Ms | null {
  if (following === null || following.change !== null || following.wasFit) return null;
  return following.movedAt + LIT_WITHIN;
}

function callOff(turn: Turn, own: NodeNet, net: NetState, following: Following, why: string): void {
  const { world, state, out } = turn;
  const { wish, back } = following;
  const cause = 'standby-lost';
  const home = homeMac(own, net);
  journal(turn, { event: 'switch-refused', net: net.net, nic: net.carrier, cause, evidence: { why: [why] } });
  record(turn, net.net, `stays on ${net.carrier}`, cause, { why: [why] });
  if (wish.operator !== null) {
    const answer = { ok: false, text: `${net.net} stays on ${net.carrier}: ${why}` } as const;
    out.push({ kind: 'answer-operator', id: wish.operator, answer });
  }
  following.back = back.filter(({ nic }) => nic in world.host);
  for (const { nic, to: mac } of following.back)
    if (mac === home) journal(turn, { event: 'mac-taken', net: net.net, nic, cause, evidence: { mac } });
  following.isOff = true;
  following.change = state.nextId++;
  remake(turn, following.back);
  const { steps } = stepsOf(following.back);
  out.push({ kind: 'change-host', id: following.change, steps, record: runRecord(turn) });
}

/** The wish with what is known of its MAC by now; null: not yet. */
export function followed(turn: Turn, own: NodeNet, net: NetState): Wish | null {
  const { world } = turn;
  const { following } = net;
  if (following === null || following.change !== null || following.to in world.moving) return null;
  const { to, wish } = following;
  const key = keyOf(own, following);
  const seen = world.host[to];
  const use = wish.mac ?? trialOf(turn, key);
  if (use === null || seen === undefined) return null;
  endTrial(turn, key);
  net.following = null;
  return { ...wish, mac: use, to: seen };
}
