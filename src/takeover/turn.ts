/** One input through the local switch: first what it says of itself, then a look at every net that it may concern. */
import type { Input, Ms } from '../input.js';
import { nicNames } from '../health/place.js';
import { journal } from './account.js';
import { adopt } from './adoption.js';
import { takeAnnouncements } from './announce.js';
import { finish } from './change.js';
import {
  absorbFloating,
  adoptFloating,
  floatingChanged,
  floatingDeadline,
  guardLease,
  lookAtFloating,
  mayAnnounce,
} from './floating.js';
import { floatingOf } from './floating-address.js';
import { withoutNic } from './ledger.js';
import { learnMacs, macMoved } from './mac-follow.js';
import { clearMacvlans } from './macvlan.js';
import { isQuiet, lookAtNet } from './net-switch.js';
import { expireLocks, operate } from './operator.js';
import { parseLedger, parseRunSwitch, persist } from './run-record.js';
import { setUp, settingsSet } from './setting-up.js';
import { drop, netsOfNic, nicsOf, type Turn } from './state.js';
import { absorbTrials, placeOf } from './trial.js';
import { askStop, cleaned, depart, goOn } from './stopping.js';

export function takeTurn(turn: Turn, input: Input): void {
  const { world, state, now, out } = turn;
  if (hasLeft(turn)) return;
  guardLease(turn);
  absorb(turn, input);
  if (hasLeft(turn)) return;
  absorbTrials(turn, input);
  absorbFloating(turn, input);
  expireLocks(turn);
  const looked = state.ready && look(turn, input);
  depart(turn);
  // What tells of NICs is most of what comes: it matters to floating addresses by what the local switch makes of it.
  const isOfNics = input.kind === 'frame-received' || input.kind === 'counters-read' || input.kind === 'echo-answered';
  if (looked || !isOfNics || floatingDeadline(world, state.floating) <= now) lookAtFloating(turn, input);
  goOn(turn);
  takeAnnouncements(
    world,
    state.announcer,
    now,
    (nic, address) => isOurs(turn, nic, address),
    out,
    (nic, address) => macOf(turn, nic, address),
  );
}

function hasLeft({ state }: Turn): boolean {
  return state.stopping?.phase === 'done';
}

/** False: no net had anything to look at. */
function look(turn: Turn, input: Input): boolean {
  const { world, state } = turn;
  // Frames and answers are many: they concern the nets of their NIC only.
  const single = input.kind === 'frame-received' || input.kind === 'echo-answered';
  let looked = false;
  for (const own of single ? netsOfNic(world.self, input.nic) : world.self.nets) {
    const net = state.nets[own.net];
    if (!net || isQuiet(turn.now, own, net, turn.verdict(net.carrier))) continue;
    lookAtNet(turn, own, net);
    looked = true;
  }
  if (!looked) return false;
  state.lookAt = null;
  for (const { lookAt } of Object.values(state.nets)) {
    if (lookAt !== null && (state.lookAt === null || lookAt < state.lookAt)) state.lookAt = lookAt;
  }
  return true;
}

function absorb(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'started':
      return remember(turn, input.run);
    case 'host-observed':
      return observe(turn, input);
    case 'host-changed':
      return changed(turn, input);
    case 'operator-asked':
      return operate(turn, input.id, input.request);
    case 'stop-asked':
      return askStop(turn, input.how);
    case 'carrier-changed':
    case 'counters-read':
    case 'frame-received':
    case 'echo-answered':
    case 'stalled':
    case 'datagram-received':
    case 'persisted':
    case 'arbiter-answered':
    case 'gate-written':
    case 'gate-lost':
    case 'agent-exited':
    case 'keys-read':
    case 'serial-changed':
    case 'serial-received':
    case 'woke':
      return;
  }
}

function remember(turn: Turn, run: (Input & { kind: 'started' })['run']): void {
  const { world, state, now } = turn;
  if (run === null) return;
  const left = parseRunSwitch(run.switch, now);
  const ledger = parseLedger(run.ledger);
  const damaged = (run.switch != null && left === null) || (run.ledger != null && ledger === null);
  if (damaged)
    journal(turn, {
      event: 'adopted',
      cause: 'record-damaged',
      evidence: { switch: left !== null, ledger: ledger !== null },
    });
  if (left && (left.cluster !== world.cluster.name || left.node !== world.self.name)) {
    journal(turn, {
      event: 'adopted',
      cause: 'record-of-other-node',
      evidence: { cluster: left.cluster, node: left.node },
    });
    return;
  }
  if (ledger) state.ledger = ledger;
  if (!left) return;
  state.run = left;
  for (const [nic, { owner, reason, leftMs }] of Object.entries(left.locks)) {
    if (!nicNames(world.self).includes(nic)) continue;
    state.locks[nic] = leftMs === undefined ? { owner, reason } : { owner, reason, until: now + leftMs };
  }
}

function observe(turn: Turn, { nics, missing }: Input & { kind: 'host-observed' }): void {
  const { world, state, now } = turn;
  const looked = [...nics.map((seen) => seen.nic), ...missing];
  for (const nic of looked) state.seenAt[nic] = now;
  if (state.ready) for (const nic of missing) state.ledger = withoutNic(state.ledger, nic);
  for (const own of world.self.nets) {
    const net = state.nets[own.net];
    if (!net || !nicsOf(own).some((nic) => looked.includes(nic))) continue;
    net.dirty = true;
    net.unseen = net.unseen.filter((nic) => !looked.includes(nic));
  }
  if (state.ready) {
    learnMacs(turn);
    markNewCards(turn, nics);
    setUp(turn, nics);
  } else if (nicNames(world.self).every((nic) => nic in state.seenAt)) {
    state.ready = true;
    for (const own of world.self.nets) {
      const net = state.nets[own.net];
      if (net) adopt(turn, own, net);
    }
    adoptFloating(turn);
    clearMacvlans(turn);
    learnMacs(turn);
    setUp(turn, Object.values(world.host));
    persist(turn);
  }
}

/** A new card under the name of a carrier has nothing of its portfolio, which nobody took off on purpose. */
function markNewCards({ state }: Turn, nics: (Input & { kind: 'host-observed' })['nics']): void {
  for (const { nic, ifindex } of nics) {
    const known = state.settingsDone.find((key) => key.startsWith(`${nic} `));
    if (known === undefined || known === `${nic} ${ifindex}`) continue;
    for (const net of Object.values(state.nets)) if (net.carrier === nic && !net.change) net.unfinished = nic;
  }
}

function changed(turn: Turn, input: Input & { kind: 'host-changed' }): void {
  const { world, state } = turn;
  const { id, failed, undone } = input;
  const failure = failed ? `${failed.code} ${failed.text}` : null;
  if (macMoved(turn, id, failed)) return;
  if (settingsSet(turn, id, failure) || cleaned(turn, id, failure) || floatingChanged(turn, input)) return;
  const own = world.self.nets.find(({ net }) => state.nets[net]?.change?.id === id);
  const net = own && state.nets[own.net];
  if (own && net) finish(turn, own, net, failed, undone);
  else drop(state, 'host-changed-unknown');
}

/** A floating address on its macvlan is known under that one's MAC. */
function macOf(turn: Turn, nic: string, address: string): string | undefined {
  const floating = floatingOf(turn.world.cluster, address);
  if (floating?.mac !== undefined && placeOf(turn, floating) !== nic) return floating.mac;
  // One that a switch has just given it is not seen yet.
  const fresh = Object.values(turn.state.nets).find((net) => net.carrier === nic && net.unseen.includes(nic));
  return fresh?.macSet ?? undefined;
}

/** Until the NICs were looked at after a change, its outcome is the newest truth there is. */
function isOurs(turn: Turn, nic: string, address: string): boolean | Ms {
  const { world, state } = turn;
  if (floatingOf(world.cluster, address)) return mayAnnounce(turn, nic, address) && (turn.mandate.leaseEnd ?? false);
  const net = Object.values(state.nets).find(
    (x) => x.carrier === nic && x.portfolio.addresses.some(({ local }) => local === address),
  );
  if (!net || (net.change?.kind === 'switch' && net.change.from === nic)) return false;
  return net.unseen.length > 0 || (world.host[nic]?.addresses.some(({ local }) => local === address) ?? false);
}
