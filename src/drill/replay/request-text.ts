/** What an operator asked of a daemon, in the words of the command. */
import type { OperatorRequest } from '../../status.js';

/** `package move web --to beta` */
export function requestText(request: OperatorRequest): string {
  const words = [request.ask.replace('-', ' ')];
  if ('node' in request) words.push(request.node);
  if ('package' in request) words.push(request.package);
  if ('nic' in request) words.push(request.nic);
  if ('net' in request && request.net !== undefined) words.push('--net', request.net);
  if ('to' in request && request.to !== undefined) words.push('--to', request.to);
  if ('force' in request && request.force === true) words.push('--force');
  return words.join(' ');
}
