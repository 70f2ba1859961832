/** `baton links`: each NIC with what speaks for and against it; `--matrix`: the hearing of a net and whom it accuses. */
import type { DaemonStatus } from '../../client/document.js';
import type { LagPort } from '../../input.js';
import type { NetStatus, NicStatus } from '../../status.js';
import { culprits, type Suspicion, type SwitchHints } from './culprit.js';
import type { Paint } from './paint.js';
import { healthText } from './status-text.js';
import { table, widthOf } from './table.js';
import { count, span } from './words.js';

function heardList(heard: Record<string, number>, paint: Paint): string {
  const names = Object.entries(heard).sort(([a], [b]) => (a < b ? -1 : 1));
  if (names.length === 0) return paint.dim('nobody');
  return names.map(([name, agoMs]) => `${name} ${paint.dim(`${span(agoMs)} ago`)}`).join(', ');
}

export function portText({ nic, state }: LagPort, paint: Paint): string {
  return `${nic} ${state === 'down' ? paint.bad(state) : state}`;
}

const USE = { mac: '', wait: ' (being tested)', plain: ' (not heard: under its own MAC instead)' } as const;

function macText({ mac, use }: NonNullable<NicStatus['macs']>[number], paint: Paint): string {
  return use === 'plain' ? paint.bad(`${mac}${USE[use]}`) : `${mac}${USE[use]}`;
}

/** One NIC with what speaks for and against it. */
export function nicText(nic: NicStatus, now: number, paint: Paint): string[] {
  const lines = [
    `${paint.bold(nic.name)}  ${nic.role} of ${(nic.nets ?? [nic.net]).join(', ')}, ${healthText(nic, paint)} for ${span(now - nic.since)}${nic.poller ? ', polls' : ''}`,
    `  carries   ${nic.carrying.length > 0 ? nic.carrying.join(' ') : paint.dim('nothing')}`,
    `  received  ${count(nic.rxPackets)}, sent ${count(nic.txPackets)}`,
    `  hears     ${heardList(nic.hears, paint)}`,
    `  heard by  ${heardList(nic.heardBy, paint)}`,
  ];
  if (nic.macs) lines.push(`  speaks as ${nic.macs.map((mac) => macText(mac, paint)).join(', ')}`);
  if (nic.ports)
    lines.push(`  ports     ${nic.ports.map((port) => portText(port, paint)).join(', ') || paint.bad('none')}`);
  for (const [target, { answers, agoMs, note }] of Object.entries(nic.targets)) {
    const ago = agoMs === undefined ? '' : `, last ${span(agoMs)} ago`;
    lines.push(
      `  target    ${target} ${answers ? 'answers' : paint.warn('is silent')}${ago}${note === undefined ? '' : ` (${note})`}`,
    );
  }
  if (nic.ready) lines.push(`  ready     ${nic.ready.ok ? 'yes' : paint.bad(`no: ${nic.ready.why.join(', ')}`)}`);
  if (nic.locked) lines.push(`  locked    ${paint.warn(`by ${nic.locked.owner}: ${nic.locked.reason}`)}`);
  return lines;
}

export function linksText({ status }: DaemonStatus, paint: Paint): string[] {
  return status.nics.flatMap((nic, i) => [...(i > 0 ? [''] : []), ...nicText(nic, status.now, paint)]);
}

export interface Matrix {
  net: string;
  polling: NetStatus['polling'];
  /** `node/nic`, rows and columns. */
  nics: string[];
  heard: { from: string; to: string; agoMs: number }[];
  suspicions: Suspicion[];
}

/**
 * `known`: NICs of the net by the cluster file, so that one that nobody heard has its row too. In light polling most
 * pairs do not speak, so nobody is accused.
 */
export function matrices(
  { status }: DaemonStatus,
  known: Readonly<Record<string, readonly string[]>> = {},
  hints: SwitchHints = {},
): Matrix[] {
  return status.nets.map((net) => {
    const own = status.nics.filter((nic) => nic.net === net.name).map((nic) => `${status.node}/${nic.name}`);
    const nics = [
      ...new Set([...own, ...(known[net.name] ?? []), ...net.hearing.flatMap(({ from, to }) => [from, to])]),
    ].sort();
    const suspicions = net.polling === 'full' ? culprits(nics, net.hearing, hints) : [];
    return { net: net.name, polling: net.polling, nics, heard: net.hearing, suspicions };
  });
}

export function matrixText(matrix: Matrix, paint: Paint): string[] {
  const age = new Map(matrix.heard.map(({ from, to, agoMs }) => [`${from} ${to}`, agoMs]));
  const width = Math.max(...matrix.nics.map(widthOf));
  const columns = [
    { title: 'sends ↓ hears →'.padEnd(width) },
    ...matrix.nics.map((title) => ({ title, align: 'right' as const })),
  ];
  const rows = matrix.nics.map((from) => [
    from,
    ...matrix.nics.map((to) => {
      if (from === to) return paint.dim('-');
      const agoMs = age.get(`${from} ${to}`);
      if (agoMs !== undefined) return paint.good(span(agoMs));
      return matrix.polling === 'full' ? paint.bad('not') : paint.dim('.');
    }),
  ]);
  const lines = [paint.bold(`net ${matrix.net}, ${matrix.polling} polling`), ...table(columns, rows, paint.dim)];
  if (matrix.polling === 'light')
    lines.push(paint.dim('light polling: only pollers speak, so an empty place means nothing'));
  else if (matrix.suspicions.length === 0) lines.push(paint.good('everybody hears everybody'));
  else lines.push(...matrix.suspicions.map(({ text }) => paint.bad(text)));
  return lines;
}
