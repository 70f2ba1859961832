/** What a cluster of many nodes costs each of them, in the simulator: messages and CPU while all is well, and a takeover. */
import { cpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import { SimulatorLab } from '../../drivers/simulator/lab.js';
import { HEARTBEAT_LENGTH_MAX } from '../../src/frame/heartbeat.js';
import { POLL_LENGTH_MAX } from '../../src/frame/poll.js';
import { count, UsageError, type Bench } from './bench.js';
import { FLOATING, scaleNetwork } from './network.js';
import { table } from './table.js';

const OPTIONS = { nodes: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'boolean' } } as const;
const FORMED_WITHIN_MS = 20_000;
const TAKEN_OVER_WITHIN_MS = 10_000;
/** Until polling is light again. */
const SETTLED_AFTER_MS = 4000;

interface ScaleFigures {
  nodes: number;
  /** After the daemons were ready; null: not within FORMED_WITHIN_MS. */
  formedMs: number | null;
  /** A second and node, sent. */
  beats: number;
  polls: number;
  /** Of this machine, simulator and all, a second and node. */
  cpuMs: number;
  longestBeat: number;
  longestPoll: number;
  /** From the power cut to the next holder's answer; null: not within TAKEN_OVER_WITHIN_MS. */
  takeoverMs: number | null;
}

interface Sent {
  beats: number;
  polls: number;
  longestBeat: number;
  longestPoll: number;
}

function read(words: readonly string[]): { sizes: number[]; seconds: number } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    const sizes = (values.nodes ?? '4,16').split(',').map((text) => count('nodes', text, 4));
    return { sizes, seconds: count('seconds', values.seconds, 5) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

/** Milliseconds until it is so, to `stepMs`; null: not within the limit. */
async function waitFor(
  lab: SimulatorLab,
  limitMs: number,
  stepMs: number,
  isSo: () => boolean,
): Promise<number | null> {
  const from = lab.now();
  while (!isSo()) {
    if (lab.now() - from >= limitMs) return null;
    await lab.runUntil(lab.now() + stepMs);
  }
  return lab.now() - from;
}

function cpuMsOf(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

async function measure(nodes: number, seconds: number): Promise<ScaleFigures> {
  const sent: Sent = { beats: 0, polls: 0, longestBeat: 0, longestPoll: 0 };
  const lab = new SimulatorLab({
    stepped: (_node, _input, actions) => {
      for (const action of actions)
        if (action.kind === 'send-datagram') {
          sent.beats++;
          sent.longestBeat = Math.max(sent.longestBeat, action.bytes.length);
        } else if (action.kind === 'send-frame') {
          sent.polls++;
          sent.longestPoll = Math.max(sent.longestPoll, action.bytes.length);
        }
    },
  });
  try {
    await lab.build(scaleNetwork(nodes));
    for (const daemon of lab.network.daemons.values()) daemon.start();
    lab.begin();
    const formedMs = await waitFor(lab, FORMED_WITHIN_MS, 50, () => lab.holder(FLOATING) !== null);
    await lab.runUntil(lab.now() + SETTLED_AFTER_MS);
    const before = { ...sent, cpuMs: cpuMsOf() };
    await lab.runUntil(lab.now() + seconds * 1000);
    const each = (total: number): number => total / nodes / seconds;
    const steady = { beats: each(sent.beats - before.beats), polls: each(sent.polls - before.polls) };
    const cpuMs = each(cpuMsOf() - before.cpuMs);
    const holder = lab.holder(FLOATING);
    if (holder !== null) await lab.inflict({ fault: 'power-off', node: holder });
    const isTaken = (): boolean => ![null, holder].includes(lab.holder(FLOATING));
    const takeoverMs = await waitFor(lab, TAKEN_OVER_WITHIN_MS, 10, isTaken);
    const { longestBeat, longestPoll } = sent;
    return { nodes, formedMs, ...steady, cpuMs, longestBeat, longestPoll, takeoverMs };
  } finally {
    await lab.destroy();
  }
}

function missedBy({ nodes, formedMs, takeoverMs, longestBeat, longestPoll }: ScaleFigures): string[] {
  const missed: string[] = [];
  if (formedMs === null) missed.push(`${nodes} nodes form no cluster within ${FORMED_WITHIN_MS / 1000} s`);
  if (takeoverMs === null) missed.push(`of ${nodes} nodes none takes over within ${TAKEN_OVER_WITHIN_MS / 1000} s`);
  if (longestBeat > HEARTBEAT_LENGTH_MAX) missed.push(`a beat of ${nodes} nodes has ${longestBeat} bytes`);
  if (longestPoll > POLL_LENGTH_MAX) missed.push(`a poll frame of ${nodes} nodes has ${longestPoll} bytes`);
  return missed;
}

export const scale: Bench = {
  usage: '[--nodes 4,16] [--seconds N] [--json]',
  async run(words, say) {
    const { sizes, seconds } = read(words);
    const all: ScaleFigures[] = [];
    for (const nodes of sizes) {
      say(`${nodes} nodes in the simulator`);
      all.push(await measure(nodes, seconds));
    }
    const head = ['nodes', 'formed ms', 'beats/s', 'polls/s', 'CPU ms/s', 'beat B', 'poll B', 'takeover ms'];
    const rows = all.map((it) => [
      ...[`${it.nodes}`, `${it.formedMs ?? '-'}`, it.beats.toFixed(1), it.polls.toFixed(1), it.cpuMs.toFixed(1)],
      ...[`${it.longestBeat}`, `${it.longestPoll}`, `${it.takeoverMs ?? '-'}`],
    ]);
    const text = [
      '',
      'Each node, in the simulator (its CPU is included); bytes are the longest',
      '',
      ...table([head, ...rows]),
    ];
    return { figures: { scale: all }, text, missed: all.flatMap(missedBy) };
  },
};
