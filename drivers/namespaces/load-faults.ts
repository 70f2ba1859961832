/** Blows that keep the machine, or a part of its kernel, at work. Whatever they start ends with the namespace it is in. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Background, attempt, nft } from './shell.js';
import type { Undo, Wire } from './wire-faults.js';

/** Longer than any drill: a lab that was killed leaves no load for ever. */
const AT_MOST_S = 300;
const ELEMENTS = 100_000;
const TABLE = 'busy';

function inBackground(wire: Wire, name: string, script: string): Background {
  const words = ['netns', 'exec', wire.namespaceOf(name), 'timeout', String(AT_MOST_S), 'sh', '-c', script];
  const program = new Background('ip', words);
  const stop = (): void => void program.stop();
  wire.signal.addEventListener('abort', stop);
  void program.ended.then(() => wire.signal.removeEventListener('abort', stop));
  return program;
}

export function keepCpuBusy(wire: Wire, processes: number): Undo {
  const [somewhere] = wire.wiring.switches;
  const programs = Array.from({ length: processes }, () => inBackground(wire, somewhere!, 'while :; do :; done'));
  return async () => {
    await Promise.all(programs.map((program) => program.stop()));
  };
}

function firewall(): string {
  const elements = Array.from({ length: ELEMENTS }, (_, i) => `100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`);
  return [
    `table inet ${TABLE} {}`,
    `delete table inet ${TABLE}`,
    `table inet ${TABLE} {`,
    `set many { type ipv4_addr; elements = { ${elements.join(', ')} } }`,
    `chain in { type filter hook input priority 10; ip saddr @many drop; }`,
    `}`,
    '',
  ].join('\n');
}

/** `folder`: where the rules may lie. */
export async function keepFirewallBusy(wire: Wire, node: string, folder: string): Promise<Undo> {
  const file = join(folder, 'busy.nft');
  await writeFile(file, firewall());
  const program = inBackground(wire, node, `while nft -f ${file}; do :; done`);
  return async () => {
    await program.stop();
    await attempt('ip', ['netns', 'exec', wire.namespaceOf(node), 'nft', 'delete', 'table', 'inet', TABLE]);
  };
}

/** Somebody reloads a firewall that knows nothing of others' tables. */
export async function flushFirewall(wire: Wire, node: string): Promise<void> {
  await nft(wire.namespaceOf(node), 'flush ruleset\n');
}
