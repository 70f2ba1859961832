/**
 * The two orderly ends (DESIGN 5). Restart: everything stays, the next start adopts it. Stop: addresses go home to a
 * healthy primary, what baton added elsewhere goes, settings are put back; what has no healthy primary stays on its
 * standby with the settings that it needs. Stationary addresses of the cluster file are never taken off a server.
 *
 *   departing ──packages are gone, or nobody takes them──▶ surrendering ──gate closed, addresses off──▶ homeward
 *   homeward ──all nets home or refused──▶ cleaning ──host-changed──▶ announcing ──second round out──▶ done
 */
import type { Step } from '../action.js';
import type { NodeNet } from '../config/cluster.js';
import type { Ms } from '../input.js';
import { nicNames } from '../health/place.js';
import { journal } from './account.js';
import { begin } from './change.js';
import { isHomeFit } from './choice.js';
import { isRid } from './floating.js';
import { booked } from './ledger.js';
import { addressKey } from './portfolio.js';
import { superfluous } from './macvlan.js';
import { persist } from './run-record.js';
import { settingStep, type SettingRecord } from './settings.js';
import { settingsToPutBack } from './setting-up.js';
import { homesOf, type NetState, nicsOf, type Stopping, type Turn } from './state.js';

/** Two rounds of announcements, the second after 200 ms. */
const LAST_WORDS: Ms = 250;
/** Longest wait for other nodes to take the packages over. */
const DEPART_LATEST: Ms = 6000;
/** A kernel that does not answer must not keep the daemon. */
const STOP_LATEST: Ms = 8000;

export function askStop(turn: Turn, how: 'stop' | 'restart'): void {
  const { state, now } = turn;
  if (state.stopping) return;
  state.stopping = { since: now, phase: 'departing', asked: [], id: null, cleaned: null, exitAt: now };
  journal(turn, { event: 'node-stopping', cause: how });
  if (how === 'restart') leave(turn, state.stopping, 0);
}

/** Before floating addresses are looked at: from here on nothing of any package is served. */
export function depart({ state, now, mandate }: Turn): void {
  const { stopping } = state;
  if (stopping?.phase !== 'departing') return;
  if (mandate.departed || now - stopping.since >= DEPART_LATEST) stopping.phase = 'surrendering';
}

/** One look at how far the stop is. */
export function goOn(turn: Turn): void {
  const { state, now } = turn;
  const { stopping } = state;
  if (stopping === null || stopping.phase === 'done') return;
  if (now - stopping.since >= STOP_LATEST) return leave(turn, stopping, 1);
  if (stopping.phase === 'surrendering' && isRid(turn)) stopping.phase = 'homeward';
  if (stopping.phase === 'homeward') homeward(turn, stopping);
  if (stopping.phase === 'announcing' && now >= stopping.exitAt) leave(turn, stopping, 0);
}

function homeward(turn: Turn, stopping: Stopping): void {
  const { world, state, now } = turn;
  let waiting = !state.ready || Object.keys(state.settings).length > 0;
  for (const own of world.self.nets) {
    const net = state.nets[own.net];
    if (!net) continue;
    const home = world.host[own.primary];
    if (net.change || net.following || net.unseen.length > 0) waiting = true;
    else if (net.carrier !== own.primary && home && !stopping.asked.includes(net.net) && canGoHome(turn, own, net)) {
      stopping.asked.push(net.net);
      const evidence = { [own.primary]: turn.verdict(own.primary).health };
      begin(turn, own, net, {
        kind: 'switch',
        to: home,
        cause: 'stop',
        portfolio: net.portfolio,
        evidence,
        operator: null,
      });
      stopping.exitAt = now + LAST_WORDS;
      waiting = true;
    }
  }
  if (!waiting) clean(turn, stopping);
}

function canGoHome(turn: Turn, own: NodeNet, net: NetState): boolean {
  const { locks } = turn.state;
  return net.unsuitable === null && !locks[net.carrier] && isHomeFit(turn, own, net);
}

/** NICs of nets that are home; those of the others keep what they need. */
function freeNics({ world, state }: Turn): string[] {
  const bound = world.self.nets.filter((own) => state.nets[own.net]?.carrier !== own.primary).flatMap(nicsOf);
  return nicNames(world.self).filter((nic) => !bound.includes(nic));
}

function clean(turn: Turn, stopping: Stopping): void {
  const { state, out } = turn;
  const free = freeNics(turn);
  const back = settingsToPutBack(turn, free);
  const steps = [...superfluous(turn, true), ...leftovers(turn, free), ...back.map((x) => settingStep(x, x.original))];
  stopping.phase = 'cleaning';
  stopping.id = state.nextId++;
  out.push({ kind: 'change-host', id: stopping.id, steps });
  stopping.cleaned = { steps, free, settings: back };
}

/** What the ledger still names on NICs that carry nothing of baton's any more. */
function leftovers({ world, state }: Turn, free: readonly string[]): Step[] {
  const { addresses, neighbours, groups } = state.ledger;
  const homes = homesOf(world.self);
  const steps: Step[] = [];
  for (const { nic, address } of addresses) {
    const there = world.host[nic]?.addresses.find((x) => addressKey(x) === addressKey(address));
    if (free.includes(nic) && !homes.includes(nic) && there) steps.push({ do: 'delete-address', nic, address: there });
  }
  for (const { nic, neighbour } of neighbours) {
    if (free.includes(nic) && nic in world.host) steps.push({ do: 'delete-neighbour', nic, neighbour });
  }
  for (const { nic, group } of groups) {
    if (free.includes(nic) && nic in world.host) steps.push({ do: 'leave-group', nic, group });
  }
  return steps;
}

/** `host-changed` of the cleaning. False: that id is not it. */
export function cleaned(turn: Turn, id: number, failure: string | null): boolean {
  const { world, state, now } = turn;
  const { stopping } = state;
  if (stopping === null || stopping.id !== id || !stopping.cleaned) return false;
  const { steps, free, settings } = stopping.cleaned;
  if (failure !== null) journal(turn, { event: 'settings', cause: 'not-put-back', evidence: { failure } });
  else {
    const kept = booked(state.ledger, steps, homesOf(world.self));
    state.ledger = { ...kept, settings: kept.settings.filter((x) => !free.includes(x.nic)) };
    if (settings.length > 0) journal(turn, { event: 'settings', cause: 'put-back', evidence: told(settings) });
  }
  stopping.phase = 'announcing';
  stopping.exitAt = Math.max(stopping.exitAt, now);
  return true;
}

function told(settings: readonly SettingRecord[]): Record<string, string> {
  return Object.fromEntries(settings.map((x) => [x.name.replace('{nic}', x.nic), `${x.value} → ${x.original}`]));
}

function leave(turn: Turn, stopping: Stopping, code: number): void {
  stopping.phase = 'done';
  persist(turn);
  turn.out.push({ kind: 'exit', code });
}

/** When the stop wants another look; Infinity: it waits for the kernel, or there is no stop. */
export function stopDeadline(stopping: Stopping | null): Ms {
  if (stopping === null || stopping.phase === 'done') return Infinity;
  const latest = stopping.since + STOP_LATEST;
  if (stopping.phase === 'departing') return stopping.since + DEPART_LATEST;
  return stopping.phase === 'announcing' ? Math.min(stopping.exitAt, latest) : latest;
}
