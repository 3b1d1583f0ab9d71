/** A drawing as SVG, readable on paper and on dark screens. Pure. */
import type { Drawing, DrawnLine, DrawnNode } from './drawing.ts';
import { type Place, placesOf } from './layout.ts';

/** Room for a node and the label of its lines, in pixels. */
const PER_NODE = 130;
const LEAST = 480;
const MOST = 6000;
const MARGIN = 90;
const CHARACTER = 7;
/** With more nodes, labels of lines would cover each other. */
const MOST_LABELLED = 120;

const NO_LOADS: ReadonlyMap<number, LineLoad> = new Map();

const STYLE = `text{font:12px sans-serif;text-anchor:middle;dominant-baseline:central;fill:#222}
.label{font-size:10px;fill:#555}.line{stroke:#888;stroke-width:1.5}.loses{stroke-dasharray:6 3}
.node{fill:#e8f0fe;stroke:#3367d6}.bridge{fill:#fff;stroke:#888}.alone{fill:#eee;stroke:#bbb}
@media (prefers-color-scheme:dark){text{fill:#eee}.label{fill:#bbb}.node{fill:#1f2f4f}.bridge{fill:#222}.alone{fill:#333}}`;

/** What a line carries: a part of what it can (0 to 1), and the text that a pointer on it shows. */
export interface LineLoad {
  readonly part: number;
  readonly text: string;
}

/** `loads`: of lines, by their numbers in the drawing; those that carried more are wider and redder. */
export function svg(
  drawing: Drawing,
  title: string,
  loads: ReadonlyMap<number, LineLoad> = NO_LOADS,
): string {
  const { nodes, lines } = drawing;
  const size = Math.round(Math.min(MOST, Math.max(LEAST, PER_NODE * Math.sqrt(nodes.length) * 1.4)));
  const places = placesOf(drawing).map(({ x, y }) => ({ x: at(x, size), y: at(y, size) }));
  const isLabelled = nodes.length <= MOST_LABELLED;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="to" viewBox="0 0 8 8" refX="16" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>',
    ...lines.map((line, number) => lineOf(line, places, isLabelled, loads.get(number))),
    ...nodes.map((node, number) => nodeOf(node, places[number]!)),
    '</svg>',
  ].join('\n')}\n`;
}

const at = (part: number, size: number): number => Math.round(MARGIN + part * (size - 2 * MARGIN));

function lineOf(
  { from, to, isBoth, label, loses }: DrawnLine,
  places: readonly Place[],
  isLabelled: boolean,
  load: LineLoad | undefined,
): string {
  const [a, b] = [places[from]!, places[to]!];
  const kind = loses ? 'line loses' : 'line';
  const marker = isBoth ? '' : ' marker-end="url(#to)"';
  const told = load === undefined ? label : `${load.text}${label === '' ? '' : `\n${label}`}`;
  const look = load === undefined ? '' : ` style="${lookOf(load)}"`;
  const line = `<line class="${kind}" x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y}"${marker}${look}><title>${escaped(told)}</title></line>`;
  if (!isLabelled || label === '') return line;
  return `${line}<text class="label" x="${(a.x + b.x) / 2}" y="${(a.y + b.y) / 2 - 7}">${escaped(label)}</text>`;
}

/** From blue over yellow to red, on paper and on dark screens alike. */
function lookOf({ part }: LineLoad): string {
  const bounded = Math.min(1, Math.max(0, part));
  return `stroke:hsl(${Math.round(215 * (1 - bounded))} 75% 48%);stroke-width:${(1.5 + 7 * bounded).toFixed(1)}`;
}

function nodeOf({ name, isBridge, isAlone }: DrawnNode, { x, y }: Place): string {
  const kind = isAlone ? 'alone' : isBridge ? 'bridge' : 'node';
  const width = CHARACTER * Math.min(name.length, 24) + 16;
  const shape = isBridge
    ? `<rect class="${kind}" x="${x - width / 2}" y="${y - 12}" width="${width}" height="24"/>`
    : `<rect class="${kind}" x="${x - width / 2}" y="${y - 12}" width="${width}" height="24" rx="12"/>`;
  return `${shape}<text x="${x}" y="${y}">${escaped(name)}</text>`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => ENTITIES.get(one)!);
