/** A drawing as SVG, readable on paper and on dark screens. Pure. */
import type { Drawing, DrawnLine, DrawnNode } from './drawing.ts';
import { type Place, placesOf } from './layout.ts';

/** Of a line, in pixels: room for two nodes, and a label between them. */
const LINE = 150;
const LEAST = 480;
const MOST = 6000;
/** Half of the longest label, and of a node. */
const MARGIN = { x: 110, y: 40 } as const;
const CHARACTER = 7;
/** Of a label, which is smaller. */
const LABEL_CHARACTER = 5.6;
const HALF_HEIGHT = 12;
/** Between the lines of a label. */
const LEADING = 13;
/** With more nodes, labels of lines would cover each other. */
const MOST_LABELLED = 120;

/** Behind a label is a stripe of the paper, so that it can be read where lines cross it. */
const STYLE = `:root{--paper:#fff}.paper{fill:var(--paper)}
text{font:12px system-ui,sans-serif;text-anchor:middle;dominant-baseline:central;fill:#222}
.label{font-size:10px;fill:#444;paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.line{stroke:#888;stroke-width:1.5}.loses{stroke-dasharray:6 3}.tip{fill:#888}
.node{fill:#e8f0fe;stroke:#3367d6}.bridge{fill:#fff;stroke:#888}.alone{fill:#eee;stroke:#bbb;stroke-dasharray:3 2}
@media (prefers-color-scheme:dark){:root{--paper:#16181d}text{fill:#eee}.label{fill:#bbb}.node{fill:#1f2f4f;stroke:#7aa2f7}.bridge{fill:#22252b}.alone{fill:#333}}`;

/** What a line carries: a part of what it can (0 to 1), and the text that a pointer on it shows. */
export interface LineLoad {
  readonly part: number;
  readonly text: string;
}

const NO_LOADS: ReadonlyMap<number, LineLoad> = new Map();

/** `loads`: of lines, by their numbers in the drawing; those that carried more are wider and redder. */
export function svg(
  drawing: Drawing,
  title: string,
  loads: ReadonlyMap<number, LineLoad> = NO_LOADS,
): string {
  const { nodes, lines } = drawing;
  const parts = placesOf(drawing);
  const scale = scaleOf(parts, lines);
  const across = Math.round(Math.max(0, ...parts.map(({ x }) => x)) * scale);
  const size = Math.max(LEAST, across + 2 * MARGIN.x);
  const left = (size - across) / 2;
  const places = parts.map(({ x, y }) => ({
    x: Math.round(left + x * scale),
    y: Math.round(MARGIN.y + y * scale),
  }));
  const height = Math.max(...places.map(({ y }) => y), MARGIN.y) + MARGIN.y;
  const isLabelled = nodes.length <= MOST_LABELLED;
  const drawn = lines.map((line, number) => lineOf(line, nodes, places, loads.get(number)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
    `<path class="paper" d="M0 0H${size}V${height}H0z"/>`,
    ...drawn,
    // Above all lines.
    ...(isLabelled ? labelsOf(drawing, places) : []),
    ...nodes.map((node, number) => nodeOf(node, places[number]!)),
    '</svg>',
  ].join('\n')}\n`;
}

/** Pixels of the square in which places are. */
function scaleOf(places: readonly Place[], lines: readonly DrawnLine[]): number {
  const lengths = lines
    .map(({ from, to }) => Math.hypot(places[from]!.x - places[to]!.x, places[from]!.y - places[to]!.y))
    .sort((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length / 2)] || 1;
  return Math.min(MOST - 2 * MARGIN.x, LINE / usual);
}

const widthOf = ({ name }: DrawnNode): number => CHARACTER * Math.min(name.length, 24) + 16;

function lineOf(
  { from, to, isBoth, label, loses }: DrawnLine,
  nodes: readonly DrawnNode[],
  places: readonly Place[],
  load: LineLoad | undefined,
): string {
  const a = places[from]!;
  // An arrow ends where the box of its node begins.
  const b = isBoth ? places[to]! : edgeOf(places[to]!, widthOf(nodes[to]!) / 2, a);
  const kind = loses ? 'line loses' : 'line';
  const marker = isBoth ? '' : ' marker-end="url(#to)"';
  const told = load === undefined ? label : `${load.text}${label === '' ? '' : `\n${label}`}`;
  const look = load === undefined ? '' : ` style="${lookOf(load)}"`;
  return `<line class="${kind}" x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y}"${marker}${look}><title>${escaped(told)}</title></line>`;
}

/** From blue over yellow to red, on paper and on dark screens alike. */
function lookOf({ part }: LineLoad): string {
  const bounded = Math.min(1, Math.max(0, part));
  return `stroke:hsl(${Math.round(215 * (1 - bounded))} 75% 48%);stroke-width:${(1.5 + 7 * bounded).toFixed(1)}`;
}

/** Where the line from the middle of a box to `other` leaves it. */
function edgeOf({ x, y }: Place, halfWidth: number, other: Place): Place {
  const [dx, dy] = [other.x - x, other.y - y];
  const part = Math.min(1, halfWidth / Math.abs(dx || 1e-9), HALF_HEIGHT / Math.abs(dy || 1e-9));
  return { x: Math.round(x + dx * part), y: Math.round(y + dy * part) };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
}

const overlaps = (a: Box, b: Box): boolean =>
  Math.abs(a.x - b.x) < a.halfWidth + b.halfWidth && Math.abs(a.y - b.y) < a.halfHeight + b.halfHeight;

/** Where on its line a label may stand: in the middle, or where it covers nothing. */
const ON_LINE = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74];

/** Labels cover neither nodes nor each other, where there is room. */
function labelsOf({ nodes, lines }: Drawing, places: readonly Place[]): string[] {
  const taken: Box[] = nodes.map((node, number) => ({
    ...places[number]!,
    ...{ halfWidth: widthOf(node) / 2, halfHeight: HALF_HEIGHT },
  }));
  return lines.flatMap((line) => {
    if (line.label === '') return [];
    const [a, b] = [places[line.from]!, places[line.to]!];
    const texts = textsOf(line.label, a, b);
    const size = {
      halfWidth: (LABEL_CHARACTER * Math.max(...texts.map(({ length }) => length))) / 2,
      halfHeight: (LEADING * texts.length) / 2,
    };
    const on = (part: number, beside = 0): Box => ({
      ...{ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part + beside },
      ...size,
    });
    const away = HALF_HEIGHT + size.halfHeight + 2;
    const boxes = [...ON_LINE.map((part) => on(part)), on(0.5, -away), on(0.5, away)];
    const box = boxes.find((one) => !taken.some((other) => overlaps(one, other))) ?? boxes[0]!;
    taken.push(box);
    return [labelAt(box, texts)];
  });
}

/** Of two directions, each has an arrow that points as it does in the picture. */
const textsOf = (label: string, a: Place, b: Place): string[] =>
  label
    .split(' / ')
    .map((text) => text.replace(/^[→←]/, (sign) => (sign === '→' ? arrow(a, b) : arrow(b, a))));

function labelAt({ x, y }: Box, texts: readonly string[]): string {
  const top = y - (LEADING * (texts.length - 1)) / 2;
  const rows = texts.map(
    (text, row) =>
      `<tspan x="${x.toFixed(1)}" y="${(top + row * LEADING).toFixed(1)}">${escaped(text)}</tspan>`,
  );
  return `<text class="label">${rows.join('')}</text>`;
}

function arrow(from: Place, to: Place): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.abs(dx) >= Math.abs(dy)) return dx >= 0 ? '→' : '←';
  return dy >= 0 ? '↓' : '↑';
}

function nodeOf(node: DrawnNode, { x, y }: Place): string {
  const { name, isBridge, isAlone } = node;
  const kind = isAlone ? 'alone' : isBridge ? 'bridge' : 'node';
  const width = widthOf(node);
  const round = isBridge ? '' : ` rx="${HALF_HEIGHT}"`;
  const box = `x="${x - width / 2}" y="${y - HALF_HEIGHT}" width="${width}" height="${2 * HALF_HEIGHT}"`;
  return `<rect class="${kind}" ${box}${round}/><text x="${x}" y="${y}">${escaped(name)}</text>`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => ENTITIES.get(one)!);
