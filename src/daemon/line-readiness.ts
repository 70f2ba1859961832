/** Can this node's serial line be used? Looked at from outside: the device is not opened, for batond may have it. */
import { accessSync, constants, statSync } from 'node:fs';
import { userOf } from '../../drivers/linux/serial/device.js';
import type { ClusterNode } from '../config/cluster.js';

export interface LineFinding {
  severity: 'error';
  text: string;
  fix: string;
}

/** Empty: nothing is amiss, or there is no line. */
export function lineFindings({ serial }: ClusterNode): LineFinding[] {
  const trouble = serial === undefined ? null : troubleOf(serial.device);
  return trouble === null ? [] : [{ severity: 'error', ...trouble }];
}

function troubleOf(device: string): Omit<LineFinding, 'severity'> | null {
  try {
    const status = statSync(device);
    if (!status.isCharacterDevice())
      return { text: `${device} is no serial line`, fix: 'name the device of the line in the cluster file' };
    const user = userOf(status.rdev);
    if (user !== null) return { text: `the serial line ${device} is in use: ${user}`, fix: fixFor(user, device) };
    accessSync(device, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return {
        text: `the serial line ${device} is not there`,
        fix: 'plug its adapter in, or name it by /dev/serial/by-id in the cluster file',
      };
    return { text: `the serial line ${device} cannot be used: ${message}`, fix: `ls -l ${device}` };
  }
}

function fixFor(user: string, device: string): string {
  const name = device.split('/').at(-1)!;
  if (user.includes('console')) return `take console=${name} off the kernel's command line, or use another line`;
  return `systemctl disable --now serial-getty@${name}.service, or end that program`;
}
