/** The device of a serial line: opened for this daemon alone, raw, or refused with the reason. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { claimLine, configureLine } from '../socket.js';

/** Why a device cannot be had. */
export class LineRefused extends Error {}

/** Returns the descriptor. Throws LineRefused; its text begins with the kernel's code where that says it. */
export function openLine(device: string, baud: number): number {
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(device, O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch (error) {
    throw new LineRefused(reasonOf(error));
  }
  try {
    const { rdev } = fstatSync(fd);
    const user = userOf(rdev);
    if (user !== null) throw new LineRefused(`it is in use: ${user}`);
    claimLine(fd);
    configureLine(fd, baud);
    return fd;
  } catch (error) {
    closeSync(fd);
    if (error instanceof LineRefused) throw error;
    throw new LineRefused(reasonOf(error, baud));
  }
}

function reasonOf(error: unknown, baud?: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOTTY':
      return 'it is no serial line';
    case 'EAGAIN':
      return 'it is in use: another program has it locked';
    case 'EBUSY':
      return 'it is in use: another program has it for itself';
    case 'EINVAL':
      return baud === undefined ? message : `it cannot do ${baud} baud`;
    default:
      // `ENOENT: no such file or directory, open '/dev/ttyUSB0'`
      return message.split(',')[0]!;
  }
}

/** The kernel's console, or the login or shell that has it as its terminal; null: nobody that could be seen. */
export function userOf(rdev: number): string | null {
  const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
  const consoles = read('/proc/consoles')?.split('\n') ?? [];
  if (consoles.some((line) => line.trim().endsWith(` ${major}:${minor}`))) return 'it is a console of the kernel';
  const terminal = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = read(`/proc/${pid}/stat`);
    if (stat === null) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[TTY_FIELD]) === terminal) {
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      return `it is the terminal of ${name} (process ${pid})`;
    }
  }
  return null;
}

/** Seventh of proc(5)'s stat; the name and what is before it are cut off. */
const TTY_FIELD = 4;

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
