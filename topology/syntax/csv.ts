/** CSV (RFC 4180): cells with their place. The separator is the first of `,`, `;` and the tabulator in the first line. */
import type { Findings } from '../model/diagnostics.ts';

export interface Cell {
  /** Without quotes, and without white space at its ends. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** Rows without empty ones; `undefined` if a quote is open, and `findings` then has the reason. */
export function parseCsv(text: string, findings: Findings): Cell[][] | undefined {
  const separator = (
    /[,;\t]/.exec(text.slice(0, text.indexOf('\n') + 1 || text.length))?.[0] ?? ','
  ).charCodeAt(0);
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at <= text.length; at++) {
    const place = { line, column: at - lineStart + 1 };
    let start = at;
    while (start < text.length && (text[start] === ' ' || text[start] === '\r')) start++;
    let cell: string;
    if (text.charCodeAt(start) === QUOTE) {
      const end = closingQuote(text, start);
      if (end === -1) {
        findings.error('VALUE_INVALID', place, '', 'a quoted text has no end', 'close it with "');
        return undefined;
      }
      const raw = text.slice(start + 1, end);
      cell = raw.replaceAll('""', '"');
      for (let next = raw.indexOf('\n'); next !== -1; next = raw.indexOf('\n', next + 1)) {
        line++;
        lineStart = start + 1 + next + 1;
      }
      at = endOfCell(text, end + 1, separator);
    } else {
      at = endOfCell(text, start, separator);
      cell = text.slice(start, at);
    }
    row.push({ text: cell.trim(), ...place });
    if (at < text.length && text.charCodeAt(at) === separator) continue;
    if (row.some((one) => one.text !== '')) rows.push(row);
    row = [];
    line++;
    lineStart = at + 1;
  }
  return rows;
}

function endOfCell(text: string, from: number, separator: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== separator && text.charCodeAt(at) !== NEWLINE) at++;
  return at;
}

/** Two quotes in a quoted text are one of it. */
function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 2))
    if (text.charCodeAt(at + 1) !== QUOTE) return at;
  return -1;
}
