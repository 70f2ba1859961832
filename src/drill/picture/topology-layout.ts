/** Where the parts of a cluster stand on the drawing: clients above, then switches, nodes, private switches, the serial line. */
import type { Setting, SettingNic } from '../setting.js';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface NicBox extends Box {
  nic: SettingNic;
  node: string;
}

export interface Cable {
  node: string;
  card: string;
  switch: string;
  from: [number, number];
  to: [number, number];
}

export interface TopologyLayout {
  width: number;
  height: number;
  nodes: (Box & { name: string; nics: NicBox[] })[];
  switches: (Box & { name: string; private: boolean })[];
  clients: (Box & { name: string; arbiter: boolean; addresses: string[]; to: [number, number] })[];
  disks: (Box & { number: number })[];
  cables: Cable[];
  trunks: { name: string; from: [number, number]; to: [number, number]; bend: number }[];
  /** Down from one node, along, and up to the other. */
  serial: { from: [number, number]; to: [number, number]; y: number } | null;
}

const MARGIN = 16;
const NIC = { width: 66, height: 34, gap: 8 };
const NODE_HEIGHT = 124;
const SWITCH_HEIGHT = 34;
const CLIENT = { width: 116, height: 40, gap: 14 };
const ROW_GAP = 62;
const WIDTH_MIN = 720;

export function layout(setting: Setting): TopologyLayout {
  const above = hubInTheMiddle(
    setting.switches.filter((one) => !one.private),
    setting,
  );
  const below = setting.switches.filter((one) => one.private);
  const guests = setting.clients.length + setting.disks;
  const widths = setting.nodes.map(({ nics }) => nodeWidth(nics));
  const gap = 46;
  const rowWidth = widths.reduce((sum, width) => sum + width + gap, -gap);
  const width = Math.max(WIDTH_MIN, rowWidth + 2 * MARGIN, guests * (CLIENT.width + CLIENT.gap) + 2 * MARGIN);
  let y = MARGIN;
  const clientsY = y;
  if (guests > 0) y += CLIENT.height + ROW_GAP - 16;
  const upper = switchRow(above, width, y, setting);
  if (above.length > 0) y += SWITCH_HEIGHT + ROW_GAP;
  const nodes = nodeRow(setting, widths, (width - rowWidth) / 2, gap, y);
  y += NODE_HEIGHT;
  const lower = switchRow(below, width, y + ROW_GAP, setting);
  if (below.length > 0) y += ROW_GAP + SWITCH_HEIGHT;
  const switches = [...upper, ...lower];
  const ends = setting.serial.map((name) => nodes.find((node) => node.name === name)!).filter(Boolean);
  const serial = ends.length < 2 ? null : serialLine(ends[0]!, ends.at(-1)!, y + 22);
  return {
    width,
    height: y + (serial ? 34 : 0) + MARGIN,
    nodes,
    switches,
    ...guestRow(setting, switches, width, clientsY),
    cables: cablesOf(nodes, switches),
    trunks: trunksOf(setting, switches),
    serial,
  };
}

/** Trunks are then short: the switch that most of them lead to stands between the others. */
function hubInTheMiddle(all: Setting['switches'], { trunks }: Setting): Setting['switches'] {
  const count = ({ name }: Setting['switches'][number]): number =>
    trunks.filter(({ ends }) => ends.includes(name)).length;
  const hub = all.find((one) => count(one) >= 2 && all.every((other) => count(other) <= count(one)));
  if (!hub) return all;
  const others = all.filter((one) => one !== hub);
  return others.toSpliced(Math.ceil(others.length / 2), 0, hub);
}

function nodeWidth(nics: readonly SettingNic[]): number {
  const below = nics.filter((nic) => nic.private).length;
  const most = Math.max(2, below, nics.length - below);
  return most * (NIC.width + NIC.gap) + NIC.gap;
}

function switchRow(all: Setting['switches'], width: number, y: number, setting: Setting): TopologyLayout['switches'] {
  return all.map(({ name, private: heart }, i) => {
    const plugs = setting.nodes
      .flatMap(({ nics }) => nics.flatMap(({ cables }) => cables))
      .filter((one) => one.switch === name);
    const own = Math.min(Math.max(120, plugs.length * 26 + 20), width / all.length - 40);
    return {
      name,
      private: heart,
      x: (width * (i + 0.5)) / all.length - own / 2,
      y,
      width: own,
      height: SWITCH_HEIGHT,
    };
  });
}

function nodeRow(
  { nodes }: Setting,
  widths: readonly number[],
  left: number,
  gap: number,
  y: number,
): TopologyLayout['nodes'] {
  let x = left;
  return nodes.map(({ name, nics }, i) => {
    const box = { x, y, width: widths[i]!, height: NODE_HEIGHT };
    x += box.width + gap;
    const upper = nics.filter((nic) => !nic.private);
    const lower = nics.filter((nic) => nic.private);
    return {
      name,
      ...box,
      nics: [...nicRow(name, upper, box, y), ...nicRow(name, lower, box, y + NODE_HEIGHT - NIC.height)],
    };
  });
}

function nicRow(node: string, nics: readonly SettingNic[], box: Box, y: number): NicBox[] {
  const all = nics.length * (NIC.width + NIC.gap) - NIC.gap;
  return nics.map((nic, i) => ({
    nic,
    node,
    x: box.x + (box.width - all) / 2 + i * (NIC.width + NIC.gap),
    y,
    width: NIC.width,
    height: NIC.height,
  }));
}

/** Each over its switch, as far as there is room. */
function guestRow(
  setting: Setting,
  switches: TopologyLayout['switches'],
  width: number,
  y: number,
): Pick<TopologyLayout, 'clients' | 'disks'> {
  const middle = (name: string): number => {
    const at = switches.find((one) => one.name === name);
    return at ? at.x + at.width / 2 : width / 2;
  };
  const sorted = [...setting.clients].sort((a, b) => middle(a.switch) - middle(b.switch));
  const wanted = sorted.map((client) => {
    const beside = sorted.filter((other) => other.switch === client.switch);
    const at = beside.indexOf(client) - (beside.length - 1) / 2;
    return middle(client.switch) + at * (CLIENT.width + CLIENT.gap) - CLIENT.width / 2;
  });
  for (let i = 0; i < setting.disks; i++) wanted.push(width);
  const xs = spread(wanted, CLIENT.width + CLIENT.gap, MARGIN, width - MARGIN - CLIENT.width);
  const box = (x: number): Box => ({ x, y, width: CLIENT.width, height: CLIENT.height });
  return {
    clients: sorted.map(({ name, arbiter, addresses, switch: at }, i) => {
      const home = switches.find((one) => one.name === at);
      const plug = home ? plugAt(home, xs[i]! + CLIENT.width / 2) : xs[i]!;
      return { name, arbiter, addresses, ...box(xs[i]!), to: [plug, home?.y ?? y] };
    }),
    disks: xs.slice(sorted.length).map((x, i) => ({ number: i, ...box(x) })),
  };
}

function plugAt({ x, width }: Box, wanted: number): number {
  return Math.min(x + width - 10, Math.max(x + 10, wanted));
}

/** Pushed to the right until none overlaps, then back from the right edge. */
function spread(wanted: readonly number[], apart: number, min: number, max: number): number[] {
  const xs: number[] = [];
  for (const at of wanted) xs.push(Math.max(at, min, (xs.at(-1) ?? -Infinity) + apart));
  let limit = max;
  for (let i = xs.length - 1; i >= 0; i--) {
    xs[i] = Math.min(xs[i]!, limit);
    limit = xs[i]! - apart;
  }
  return xs;
}

/** Plugs of a switch lie in the order of the NICs, so that cables cross as little as they can. */
function cablesOf(nodes: TopologyLayout['nodes'], switches: TopologyLayout['switches']): Cable[] {
  return switches.flatMap((home) => {
    const plugged = nodes
      .flatMap(({ nics }) => nics)
      .flatMap((box) => box.nic.cables.map((cable, i) => ({ box, ...cable, x: plugOfNic(box, i) })))
      .filter((one) => one.switch === home.name)
      .sort((a, b) => a.x - b.x);
    return plugged.map(({ box, card, x }, i): Cable => {
      const down = home.y > box.y;
      const to = home.x + (home.width * (i + 1)) / (plugged.length + 1);
      const [from, end] = down ? [box.y + box.height, home.y] : [box.y, home.y + home.height];
      return { node: box.node, card, switch: home.name, from: [x, from], to: [to, end] };
    });
  });
}

function plugOfNic({ x, width, nic }: NicBox, i: number): number {
  return x + (width * (i + 1)) / (nic.cables.length + 1);
}

/** Between neighbours straight, else in a bow over those between. */
function trunksOf({ trunks }: Setting, switches: TopologyLayout['switches']): TopologyLayout['trunks'] {
  return trunks.flatMap(({ name, ends }) => {
    const [a, b] = ends.map((end) => switches.findIndex((one) => one.name === end)).sort((i, k) => i - k) as [
      number,
      number,
    ];
    const [left, right] = [switches[a], switches[b]];
    if (!left || !right) return [];
    const beside = b - a === 1 && left.y === right.y;
    const y = left.y + (beside ? left.height / 2 : 0);
    const x = beside ? [left.x + left.width, right.x] : [left.x + left.width / 2, right.x + right.width / 2];
    return [{ name, from: [x[0]!, y], to: [x[1]!, beside ? y : right.y], bend: beside ? 0 : 34 }];
  });
}

function serialLine(left: Box, right: Box, y: number): NonNullable<TopologyLayout['serial']> {
  const bottom = left.y + left.height;
  return { from: [left.x + 14, bottom], to: [right.x + right.width - 14, bottom], y };
}
