/**
 * One net of this node, looked at after every input that may concern it. What is most urgent comes first, and each of
 * these ends the look: finish what a crash cut short, leave a dead NIC, mend, learn.
 */
import type { NodeNet } from '../config/cluster.js';
import type { Verdict } from '../health/state.js';
import type { Ms } from '../input.js';
import { clear, journal, raise, record } from './account.js';
import { begin, CHANGE_LATE, LOOK_LATE, watch } from './change.js';
import { type Choice, choose, enslavement, homeKnownAt, startGraceMs, words } from './choice.js';
import { hasLease, learn, settleAt } from './learning.js';
import { followed, hasStrayMac, litAt, reconsider } from './mac-follow.js';
import { mend, QUIET } from './mending.js';
import { addressKey } from './portfolio.js';
import { type NetState, nicsOf, type Turn } from './state.js';

/** Nothing about this net is different from the last look: most inputs find most nets so. */
export function isQuiet(now: Ms, own: NodeNet, net: NetState, { health, reason }: Verdict): boolean {
  if (
    net.dirty ||
    net.change !== null ||
    net.following !== null ||
    net.unseen.length > 0 ||
    net.carrier !== own.primary
  )
    return false;
  if (net.lookAt !== null && net.lookAt <= now) return false;
  return health !== 'down' && health === net.health && (reason ?? '') === net.reason;
}

export function lookAtNet(turn: Turn, own: NodeNet, net: NetState): void {
  watch(turn, net);
  reconsider(turn, own, net);
  if (net.following) {
    const wish = followed(turn, own, net);
    if (wish) begin(turn, own, net, wish);
  }
  if (!net.change && !net.following && net.unseen.length === 0) {
    judgeSuitability(turn, own, net);
    const { health, reason } = turn.verdict(net.carrier);
    if (health !== 'down' && turn.world.host[net.carrier]?.carrier) net.wasUp = true;
    if (net.unsuitable === null) act(turn, own, net);
    else net.dirty = false;
    net.health = health;
    net.reason = reason ?? '';
  }
  net.lookAt = nextLook(turn, own, net);
}

function act(turn: Turn, own: NodeNet, net: NetState): void {
  const { world, state, now } = turn;
  if (now < net.retryAt) return;
  if (net.unfinished !== null) return complete(turn, own, net, net.unfinished);
  const verdict = turn.verdict(net.carrier);
  if (verdict.health === 'down' && now < graceUntil(turn, net)) return;
  const choice: Choice = state.stopping ? { do: 'stay' } : choose(turn, own, net);
  if (choice.do === 'switch') return switchTo(turn, own, net, choice.to, choice.cause, choice.evidence);
  refuse(turn, net, choice);
  const carrier = world.host[net.carrier];
  if (!carrier?.carrier || !carrier.admin || verdict.health === 'down') {
    net.missingSince = {};
    return;
  }
  if (hasStrayMac(turn, own, net)) return complete(turn, own, net, net.carrier);
  if (mend(turn, own, net, carrier)) return;
  if (verdict.health === 'up') {
    if (net.dirty || (settleAt(net) ?? now) <= now) learn(turn, own, net, carrier);
    net.dirty = false;
  } else {
    net.missingSince = {};
  }
}

function switchTo(
  turn: Turn,
  own: NodeNet,
  net: NetState,
  to: string,
  cause: string,
  evidence: Record<string, unknown>,
): void {
  const target = turn.world.host[to];
  if (!target) return;
  clear(turn, `refused ${net.net}`);
  begin(turn, own, net, { kind: 'switch', to: target, cause, portfolio: net.portfolio, evidence, operator: null });
}

/** The whole portfolio, foreign addresses too: they were taken off by our own doing or with the card. */
function complete(turn: Turn, own: NodeNet, net: NetState, to: string): void {
  const target = turn.world.host[to];
  if (!target) {
    net.unfinished = null;
    net.dirty = true;
    return;
  }
  const kind = to === net.carrier ? 'mend' : 'switch';
  const wish = {
    kind,
    to: target,
    cause: 'unfinished',
    portfolio: net.portfolio,
    evidence: {},
    operator: null,
  } as const;
  if (!begin(turn, own, net, wish)) net.unfinished = null;
}

function refuse(turn: Turn, net: NetState, choice: Choice): void {
  if (choice.do !== 'refuse') {
    net.refused = null;
    clear(turn, `refused ${net.net}`);
    return;
  }
  const text = `${net.net} stays on ${net.carrier}: ${choice.why.join('; ')}`;
  raise(turn, `refused ${net.net}`, choice.cause === 'locked' ? 'locked' : 'standby-unfit', text);
  if (net.refused === choice.cause) return;
  net.refused = choice.cause;
  const evidence = { health: words(turn.verdict(net.carrier)), why: choice.why };
  journal(turn, { event: 'switch-refused', net: net.net, nic: net.carrier, cause: choice.cause, evidence });
  record(turn, net.net, `stays on ${net.carrier}`, choice.cause, evidence);
}

function judgeSuitability(turn: Turn, own: NodeNet, net: NetState): void {
  const { world, state } = turn;
  const reasons = nicsOf(own).flatMap((nic) => {
    const seen = world.host[nic];
    if (!seen || (nic !== own.primary && nic !== net.carrier)) return [];
    const slave = enslavement(seen);
    if (slave !== null) return [`${nic} ${slave}`];
    const lease = hasLease(turn, seen);
    const ours =
      lease && state.ledger.addresses.some((x) => x.nic === nic && addressKey(x.address) === addressKey(lease));
    return lease && !ours ? [`${lease.local} on ${nic} has a DHCP lifetime`] : [];
  });
  const unsuitable = reasons.length > 0 ? reasons.join('; ') : null;
  if (unsuitable === net.unsuitable) return;
  net.unsuitable = unsuitable;
  net.dirty = true;
  if (unsuitable === null) return clear(turn, `unsuitable ${net.net}`);
  raise(turn, `unsuitable ${net.net}`, 'unsuitable', `${net.net} is not served: ${unsuitable}`);
  journal(turn, {
    event: 'switch-refused',
    net: net.net,
    nic: net.carrier,
    cause: 'unsuitable',
    evidence: { why: reasons },
  });
}

/** A carrier that was down from the start may only be slow to come up; one that was up is known to have failed. */
function graceUntil({ world, state }: Turn, net: NetState): Ms {
  return net.wasUp || state.run?.nets[net.net] ? 0 : state.startedAt + startGraceMs(world);
}

/** The next moment at which time alone may change something. */
function nextLook(turn: Turn, own: NodeNet, net: NetState): Ms | null {
  const { state, now, verdict } = turn;
  const { change, mending } = net;
  const times = [
    change && !change.late ? change.at + CHANGE_LATE : null,
    !change && net.unseen.length > 0 ? net.unseenSince + LOOK_LATE : null,
    litAt(net),
    settleAt(net),
    net.retryAt,
    graceUntil(turn, net),
    ...(mending.times > 0 ? [mending.holdUntil, mending.holdUntil + QUIET] : []),
    ...nicsOf(own).flatMap((nic) => state.unfit[nic]?.until ?? []),
    ...(net.carrier === own.primary ? [] : [verdict(own.primary).holdUntil, homeKnownAt(turn, own)]),
  ];
  const ahead = times.filter((at): at is Ms => at !== null && at > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}
