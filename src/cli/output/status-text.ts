/** `baton status` for people: alarms first, then the cluster, then the NICs and nets of this node. */
import type { DaemonStatus } from '../../client/document.js';
import type { NicHealth, NicStatus } from '../../status.js';
import type { Paint } from './paint.js';
import { clusterText } from './cluster-text.js';
import { keysText } from './keys-text.js';
import { strangers } from './strangers.js';
import { table, widthOf } from './table.js';
import { count, plural, span } from './words.js';

export function paintHealth(health: NicHealth, text: string, paint: Paint): string {
  switch (health) {
    case 'up':
      return paint.good(text);
    case 'suspect':
      return paint.warn(text);
    case 'down':
      return paint.bad(text);
  }
}

export function healthText(nic: NicStatus, paint: Paint): string {
  const reason = nic.reason === undefined ? '' : ` ${nic.reason}`;
  const text = `${nic.health}${reason}`;
  // An "up" with a note is no failure, but worth a look.
  return nic.health === 'up' && nic.reason !== undefined ? paint.warn(text) : paintHealth(nic.health, text, paint);
}

function notes(nic: NicStatus, now: number, paint: Paint): string {
  const parts: string[] = [];
  if (nic.locked) {
    const until = nic.locked.until === undefined ? '' : `, ${span(nic.locked.until - now)} left`;
    parts.push(paint.warn(`locked by ${nic.locked.owner} (${nic.locked.reason}${until})`));
  }
  if (nic.ready) parts.push(nic.ready.ok ? 'ready' : paint.bad(`not ready: ${nic.ready.why.join(', ')}`));
  const lost = (nic.ports ?? []).filter(({ state }) => state === 'down').map((port) => port.nic);
  if (nic.ports)
    parts.push(
      lost.length > 0
        ? paint.warn(`lost port ${lost.join(', ')}`)
        : `ports ${nic.ports.map((port) => port.nic).join(' ')}`,
    );
  for (const [target, { answers, note }] of Object.entries(nic.targets)) {
    const how = note === undefined ? '' : ` (${note})`;
    parts.push(answers ? `target ${target} answers` : paint.warn(`target ${target} is silent${how}`));
  }
  if (nic.poller) parts.push(paint.dim('polls'));
  return parts.join(', ');
}

/** Where the lines would be longer than `width`, each NIC's notes stand below it instead. */
function nicTable({ status }: DaemonStatus, paint: Paint, width: number): string[] {
  const columns = [
    { title: 'NET' },
    { title: 'NIC' },
    { title: 'ROLE' },
    { title: 'HEALTH' },
    { title: 'SINCE', align: 'right' as const },
    { title: 'RECEIVED', align: 'right' as const },
    { title: 'SENT', align: 'right' as const },
    { title: 'CARRIES' },
    { title: 'NOTES' },
  ];
  let lastNet = '';
  const rows = status.nics.map((nic) => {
    const nets = (nic.nets ?? [nic.net]).join(', ');
    const net = nets === lastNet ? '' : nets;
    lastNet = nets;
    return [
      net,
      nic.name,
      nic.role,
      healthText(nic, paint),
      span(status.now - nic.since),
      count(nic.rxPackets),
      count(nic.txPackets),
      nic.carrying.length > 0 ? paint.bold(nic.carrying.join(' ')) : paint.dim('-'),
      notes(nic, status.now, paint),
    ];
  });
  const lines = table(columns, rows, paint.dim);
  if (lines.every((line) => widthOf(line) <= width)) return lines;
  const [titles, ...short] = table(
    columns.slice(0, -1),
    rows.map((row) => row.slice(0, -1)),
    paint.dim,
  );
  const indent = ' '.repeat(2 + Math.max(...status.nics.map(({ net }) => widthOf(net)), widthOf('NET')));
  return [
    titles!,
    ...short.flatMap((line, i) => [line, ...(rows[i]!.at(-1) === '' ? [] : [`${indent}  ${rows[i]!.at(-1)!}`])]),
  ];
}

function netTable({ status }: DaemonStatus, paint: Paint): string[] {
  const columns = [
    { title: 'NET' },
    { title: 'CARRIED BY' },
    { title: 'POLLING' },
    { title: 'SWITCHES', align: 'right' as const },
  ];
  const rows = status.nets.map((net) => [
    net.name,
    net.carrier === undefined ? paint.dim('-') : `${net.carrier}${net.switching ? paint.warn(' (switching)') : ''}`,
    net.polling === 'full' ? paint.warn('full') : 'light',
    count(net.switches),
  ]);
  return table(columns, rows, paint.dim);
}

/** `width`: columns of the terminal. */
export function statusText(daemon: DaemonStatus, paint: Paint, width = Infinity): string[] {
  const { status, lateness } = daemon;
  const lines = [
    `${paint.bold(`cluster ${status.cluster}, node ${status.node}`)}${daemon.shadow ? paint.warn(' (shadow: watches only)') : ''}`,
    paint.dim(
      `batond ${daemon.version}, up ${span(daemon.uptimeMs)}; woke late by ${lateness.p99Ms.toFixed(1)} ms (p99), ${lateness.maxMs.toFixed(1)} ms (max)`,
    ),
  ];
  if (status.alarms.length > 0) {
    lines.push('', paint.bad(plural(status.alarms.length, 'ALARM', 'ALARMS')));
    const rows = status.alarms.map(({ since, what, text }) => ['', span(status.now - since), paint.bad(what), text]);
    lines.push(
      ...table([{ title: '' }, { title: 'FOR', align: 'right' }, { title: 'WHAT' }, { title: '' }], rows, paint.dim),
    );
  }
  lines.push(...clusterText(daemon, paint), ...keysText(status.keys, status.node, paint));
  lines.push('', ...nicTable(daemon, paint, width), '', ...netTable(daemon, paint));
  const ignored = strangers(status.dropped).map((it) => `${count(it.count)} ${it.text}`);
  if (ignored.length > 0)
    lines.push('', paint.warn(`poll frames ignored: ${ignored.join(', ')}; ask baton doctor what to do`));
  return lines;
}
