/** Aligned columns. A cell's width is that of its visible text. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
}

// eslint-disable-next-line no-control-regex -- the escape sequences of `paint.ts` have no width
const INVISIBLE = /\u001b\[\d+m/g;

export function widthOf(text: string): number {
  return [...text.replace(INVISIBLE, '')].length;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? space + text : text + space;
}

/** One line a row, titles first; nothing at all without rows. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  title = (text: string) => text,
): string[] {
  if (rows.length === 0) return [];
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align ?? 'left'))
      .join('  ')
      .trimEnd();
  return [title(line(columns.map((column) => column.title))), ...rows.map(line)];
}
