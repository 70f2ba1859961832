/** The cluster as SVG: its parts, its cables, and marks on what failed. */
import type { Setting } from '../setting.js';
import { clip, wordsPx } from './chart.js';
import { markup, type Markup } from './markup.js';
import type { Tone } from './palette.js';
import { partKey, type Part, type PartMark } from './part.js';
import { layout, type Box, type Cable, type NicBox, type TopologyLayout } from './topology-layout.js';

export interface TopologyData {
  title: string;
  setting: Setting;
  /** By `partKey`. */
  marks: ReadonlyMap<string, PartMark>;
  toneOf: (node: string) => Tone;
  /** Node → words under its name. */
  notes: Readonly<Record<string, string>>;
}

type Point = readonly [number, number];

export function topology(data: TopologyData): Markup {
  const plan = layout(data.setting);
  const mark = (part: Part): PartMark | undefined => data.marks.get(partKey(part));
  const badges: Markup[] = [];
  const told = (at: Point, part: Part, crossed = false): void => {
    const found = mark(part);
    if (found) badges.push(badge(at, found, crossed));
  };
  for (const { node, card, from, to } of plan.cables) told(middle(from, to), { kind: 'cable', node, nic: card }, true);
  for (const { name, from, to, bend } of plan.trunks)
    told([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2 - bend], { kind: 'trunk', name }, true);
  for (const { name, ...box } of plan.switches) told(corner(box), { kind: 'switch', name });
  for (const { name, arbiter, ...box } of plan.clients) {
    told(corner(box), { kind: 'client', name });
    if (arbiter) told(corner(box), { kind: 'arbiter' });
    told(corner(box), { kind: 'arbiter', name });
  }
  for (const box of plan.disks) told(corner(box), { kind: 'arbiter' });
  for (const { name, nics, ...box } of plan.nodes) {
    told([box.x + box.width, box.y + box.height / 2], { kind: 'node', name });
    for (const { nic, node, ...place } of nics) told(corner(place), { kind: 'nic', node, nic: nic.name });
  }
  if (plan.serial) told([middle(plan.serial.from, plan.serial.to)[0], plan.serial.y], { kind: 'serial' }, true);
  return markup`<div class="drawing" tabindex="0" role="region" aria-label="${data.title}"><svg class="topology" width="${plan.width}" height="${plan.height}" viewBox="0 0 ${plan.width} ${plan.height}" role="img" aria-label="${data.title}">
<g class="wires">${plan.clients.map(({ x, y, width, height, to }) => curve('cable plain', [x + width / 2, y + height], to))}
${plan.trunks.map((trunk) => trunkLine(trunk, mark({ kind: 'trunk', name: trunk.name })))}
${plan.cables.map((cable) => cableLine(cable, mark({ kind: 'cable', node: cable.node, nic: cable.card })))}
${plan.serial ? serialLine(plan.serial, mark({ kind: 'serial' })) : null}</g>
${plan.clients.map((one) => guest(one, mark({ kind: 'client', name: one.name }) ?? (one.arbiter ? (mark({ kind: 'arbiter' }) ?? mark({ kind: 'arbiter', name: one.name })) : undefined)))}
${plan.disks.map((box) => disk(box, mark({ kind: 'arbiter' })))}
${plan.switches.map((one) => switchBox(one, mark({ kind: 'switch', name: one.name })))}
${plan.nodes.map((node) => nodeBox(node, data, mark))}
<g class="badges">${badges}</g></svg></div>`;
}

function stateOf(mark: PartMark | undefined): string {
  return mark?.state ?? 'whole';
}

function middle(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

function corner({ x, y, width }: Box): Point {
  return [x + width, y];
}

function curve(style: string, [x, y]: Point, [toX, toY]: Point, title: Markup | null = null): Markup {
  const bend = (toY - y) * 0.55;
  return markup`<path class="${style}" d="M${x} ${y}C${x} ${y + bend} ${toX} ${toY - bend} ${toX} ${toY}">${title}</path>`;
}

function cableLine({ node, card, switch: home, from, to }: Cable, mark: PartMark | undefined): Markup {
  const title = `cable of ${node}.${card} at ${home}${mark ? `: ${mark.text}` : ''}`;
  return curve(`cable ${stateOf(mark)}`, from, to, markup`<title>${title}</title>`);
}

function trunkLine({ name, from, to, bend }: TopologyLayout['trunks'][number], mark: PartMark | undefined): Markup {
  const [x, y] = middle(from, to);
  const title = `trunk ${name}${mark ? `: ${mark.text}` : ''}`;
  const words =
    bend === 0 && to[0] - from[0] > 60 ? markup`<text x="${x}" y="${y + 14}" text-anchor="middle">trunk</text>` : null;
  return markup`<path class="trunk ${stateOf(mark)}" d="M${from[0]} ${from[1]}Q${x} ${y - 2 * bend} ${to[0]} ${to[1]}"><title>${title}</title></path>${words}`;
}

function serialLine({ from, to, y }: NonNullable<TopologyLayout['serial']>, mark: PartMark | undefined): Markup {
  const [x] = middle(from, to);
  const title = `serial line${mark ? `: ${mark.text}` : ''}`;
  return markup`<path class="serial ${stateOf(mark)}" d="M${from[0]} ${from[1]}V${y}H${to[0]}V${to[1]}"><title>${title}</title></path><text x="${x}" y="${y + 14}" text-anchor="middle">serial line</text>`;
}

function guest(
  { x, y, width, height, name, arbiter, addresses }: TopologyLayout['clients'][number],
  mark: PartMark | undefined,
): Markup {
  const shape = arbiter
    ? markup`<path class="box" d="M${x + 10} ${y}H${x + width - 10}L${x + width} ${y + height / 2}L${x + width - 10} ${y + height}H${x + 10}L${x} ${y + height / 2}Z"/>`
    : markup`<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="${height / 2}"/>`;
  const kind = arbiter && name !== 'arbiter' ? `${name}: arbiter` : name;
  return markup`<g class="guest ${stateOf(mark)}"><title>${arbiter ? 'arbiter' : 'client'} ${name} ${addresses.join(', ')}${mark ? `: ${mark.text}` : ''}</title>${shape}
<text class="name" x="${x + width / 2}" y="${y + 17}" text-anchor="middle">${clip(kind, width - 16)}</text><text class="small" x="${x + width / 2}" y="${y + 31}" text-anchor="middle">${clip(addresses[0] ?? '', width - 14)}</text></g>`;
}

function disk({ x, y, width, height, number }: TopologyLayout['disks'][number], mark: PartMark | undefined): Markup {
  const [left, right] = [x + 24, x + width - 24];
  return markup`<g class="guest ${stateOf(mark)}"><title>shared disk, arbiter${mark ? `: ${mark.text}` : ''}</title>
<path class="box" d="M${left} ${y + 6}a${(right - left) / 2} 6 0 0 1 ${right - left} 0v${height - 12}a${(right - left) / 2} 6 0 0 1 ${left - right} 0z"/>
<text class="name" x="${x + width / 2}" y="${y + 22}" text-anchor="middle">disk ${number + 1}</text><text class="small" x="${x + width / 2}" y="${y + 34}" text-anchor="middle">arbiter</text></g>`;
}

function switchBox(
  { x, y, width, height, name, private: heart }: TopologyLayout['switches'][number],
  mark: PartMark | undefined,
): Markup {
  return markup`<g class="switch ${stateOf(mark)}${heart ? ' private' : ''}"><title>switch ${name}${heart ? ', private net' : ''}${mark ? `: ${mark.text}` : ''}</title>
<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="3"/><text class="name" x="${x + width / 2}" y="${y + 21}" text-anchor="middle">${clip(heart ? `${name} (private)` : name, width - 8)}</text></g>`;
}

function nodeBox(
  { x, y, width, height, name, nics }: TopologyLayout['nodes'][number],
  { toneOf, notes }: TopologyData,
  mark: (part: Part) => PartMark | undefined,
): Markup {
  const own = mark({ kind: 'node', name });
  const note = notes[name];
  return markup`<g class="node ${stateOf(own)} ${toneOf(name)}"><title>node ${name}${own ? `: ${own.text}` : ''}</title>
<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>
<text class="name" x="${x + width / 2}" y="${y + (note === undefined ? 66 : 60)}" text-anchor="middle">${name}</text>
${note === undefined ? null : markup`<text class="small" x="${x + width / 2}" y="${y + 76}" text-anchor="middle">${clip(note, width - 12)}</text>`}</g>
${nics.map((box) => nicBox(box, mark({ kind: 'nic', node: name, nic: box.nic.name })))}`;
}

function nicBox({ x, y, width, height, nic, node }: NicBox, mark: PartMark | undefined): Markup {
  const words = [nic.net === null ? null : `net ${nic.net}`, nic.role].filter((word) => word !== null);
  const made = nic.cables.some(({ card }) => card !== nic.name)
    ? ` of ${nic.cables.map(({ card }) => card).join(', ')}`
    : '';
  return markup`<g class="nic ${nic.role ?? 'alone'} ${stateOf(mark)}"><title>NIC ${nic.name}${made} of ${node}, ${words.join(', ') || 'not in the cluster file'}${mark ? `: ${mark.text}` : ''}</title>
<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>
<text class="name" x="${x + width / 2}" y="${y + 15}" text-anchor="middle">${clip(nic.name, width - 6)}</text><text class="small" x="${x + width / 2}" y="${y + 28}" text-anchor="middle">${nic.role ?? 'unused'}</text></g>`;
}

/** At most so many on one part; the tooltip has all. */
const BADGES_MAX = 4;

function badge([x, y]: Point, { state, badges, text }: PartMark, crossed: boolean): Markup {
  const words = badges.length > BADGES_MAX ? `${badges.slice(0, BADGES_MAX - 1).join(' ')} …` : badges.join(' ');
  const width = Math.max(18, wordsPx(words) * 1.12 + 9);
  const cross = crossed ? markup`<path class="cross" d="M${x - 6} ${y - 6}l12 12m0 -12l-12 12"/>` : null;
  const left = crossed ? x + 10 : x - width / 2 - 4;
  return markup`<g class="badge ${state}"><title>${text}</title>${cross}<rect x="${left}" y="${y - 9}" width="${width}" height="18" rx="${state === 'single' ? 0 : 9}"/><text x="${left + width / 2}" y="${y + 4}" text-anchor="middle">${words}</text></g>`;
}
