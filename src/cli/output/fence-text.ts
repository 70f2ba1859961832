/** What `check --host` and `test` show of fence agents. */
import type { FenceSetup } from '../../daemon/fence-readiness.js';
import type { Paint } from './paint.js';

function list(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

export function setupText({ agent, nodes, given, presets }: FenceSetup, paint: Paint): string[] {
  const lines = [
    `fence agent ${paint.bold(agent)} shuts ${nodes.join(', ')}${given ? paint.dim(` ${list(given)}`) : ''}`,
  ];
  if (Object.keys(presets).length > 0) lines.push(paint.dim(`  defaults: ${list(presets)}`));
  return lines;
}
