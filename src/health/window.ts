/**
 * How long silence must last before it proves anything.
 *
 * A clean net needs `pollMisses` full polls. Where frames are lost at random, three in a row get lost by chance, so the
 * window grows until as many frames are missing as chance does not explain: with a loss of p, n of them by p^n, and n
 * is chosen so that this is below FALSE_ALARM. The loss is the worst that any pair of NICs of the net shows, in either
 * direction, for one bad cable shows in every pair that it is part of.
 */
import type { World } from '../world.js';
import type { Ms } from '../input.js';
import type { Heard, HealthState, Loss, NetState, NicState } from './state.js';

const FALSE_ALARM = 1e-9;
/** Below it three misses suffice: 0.0009^3 < 1e-9. */
const LOSS_MIN = 9e-4;
const LOSS_MAX = 0.9;
/** One frame's weight in `lossNow`: sixteen frames of memory. */
const GAIN = 1 / 16;
/** `lossHeld` halves in 500 frames. */
const FORGET = 0.5 ** (1 / 500);

/** Interval of full polls: four times the rate of light ones. */
export function fullPollMs(world: World): Ms {
  return world.cluster.timing.pollMs / 4;
}

/** A light poll is missed when it is this much overdue. */
export function graceMs(world: World): Ms {
  return fullPollMs(world);
}

/** Frames that must be missing in a row, given that loss. */
export function framesNeeded(world: World, loss: number): number {
  const p = Math.min(LOSS_MAX, Math.max(LOSS_MIN, loss));
  return Math.max(world.cluster.timing.pollMisses, Math.ceil(Math.log(FALSE_ALARM) / Math.log(p)));
}

/** One came after `lost` others did not. More than `lostMax` were an outage, not random loss. */
export function countLoss(loss: Loss, lost: number, lostMax: number): void {
  if (lost > lostMax) return;
  for (let i = 0; i < lost; i++) loss.lossNow += (1 - loss.lossNow) * GAIN;
  loss.lossHeld = Math.max(loss.lossNow, loss.lossHeld * FORGET);
  loss.lossNow -= loss.lossNow * GAIN;
}

/**
 * Frames that should have come since the last one count too, unless there are so many that the sender is gone, or it
 * was not heard since full polling began and may be the one in question.
 */
function pairLoss(world: World, nic: NicState, heard: Heard, now: Ms): number {
  if (heard.at < nic.windowFrom) return heard.lossHeld;
  const fullMs = fullPollMs(world);
  const missing = Math.floor((now - heard.at - fullMs / 2) / fullMs);
  if (missing < 1 || missing >= world.cluster.timing.pollMisses) return heard.lossHeld;
  return Math.max(heard.lossHeld, 1 - (1 - heard.lossNow) * (1 - GAIN) ** missing);
}

/** Worst loss that one NIC sees from any one sender; while polling is full. */
export function nicLoss(world: World, nic: NicState, now: Ms): number {
  let worst = 0;
  for (const heard of Object.values(nic.hears)) worst = Math.max(worst, pairLoss(world, nic, heard, now));
  return worst;
}

/** As `nicLoss`, while polling is light and nobody owes frames at the full rate. */
export function heldLoss(nic: NicState): number {
  return Object.values(nic.hears).reduce((worst, heard) => Math.max(worst, heard.lossHeld), 0);
}

/** Worst loss of the net as far as this node knows; while polling is full. */
export function netLoss(world: World, state: HealthState, net: NetState, now: Ms): number {
  let worst = 0;
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    if (nic.link === 'up') worst = Math.max(worst, nicLoss(world, nic, now));
  }
  const freshAfter = now - 10 * world.cluster.timing.pollMs;
  for (const report of Object.values(net.reports))
    if (report.at > freshAfter) worst = Math.max(worst, report.lossPermille / 1000);
  return worst;
}
