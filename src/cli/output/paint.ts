/** Colour for terminals only; NO_COLOR is obeyed (no-color.org). */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

const wrap = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const same = (text: string): string => text;

export const colour: Paint = {
  good: wrap(32, 39),
  warn: wrap(33, 39),
  bad: wrap(31, 39),
  dim: wrap(2, 22),
  bold: wrap(1, 22),
};
export const plain: Paint = { good: same, warn: same, bad: same, dim: same, bold: same };

export function paintFor(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): Paint {
  return stream.isTTY === true && environment['NO_COLOR'] === undefined && environment['TERM'] !== 'dumb'
    ? colour
    : plain;
}
