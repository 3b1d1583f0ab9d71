/** The graph on a canvas. A link has a lane for each direction, on the right as seen from its sender. */

import { latency, percent, rate } from '../data/format.ts';
import type { Cable, Condition, Direction, Load, Network } from '../data/network.ts';
import { type Colours, useColour } from './colours.ts';
import type { Point } from './layout.ts';

export interface View {
  /** Pixels of a unit of the layout, and where its origin is. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export type Mode = 'use' | 'agreement';

export interface Scene {
  readonly network: Network;
  readonly places: ReadonlyMap<string, Point>;
  readonly view: View;
  readonly loads: ReadonlyMap<string, Load>;
  readonly conditions: ReadonlyMap<string, Condition>;
  /** What stands in an endpoint: the number of its host. */
  readonly marks: ReadonlyMap<string, string>;
  readonly selected: ReadonlySet<string>;
  readonly selectedCable: string | undefined;
  /** Links of the path that is looked at. */
  readonly path: ReadonlySet<string>;
  readonly focus: string | undefined;
  readonly hover: string | undefined;
  readonly mode: Mode;
  readonly colours: Colours;
  readonly box: { readonly from: Point; readonly to: Point } | undefined;
}

/** More cables than these have no texts. */
const MOST_TEXTS = 120;
const TEXT_HEIGHT = 14;
const FONT = '11px ui-sans-serif, system-ui, sans-serif';

export const toScreen = ({ scale, x, y }: View, place: Point): Point => ({
  x: place.x * scale + x,
  y: place.y * scale + y,
});

/** Nodes shrink when one looks from afar, but not to nothing. */
export const nodeRadius = (view: View): number => Math.min(15, Math.max(3, 13 * Math.sqrt(view.scale)));

/** How far beside the line between two nodes a cable is: parallel ones lie beside each other. */
const cableShift = ({ place }: Cable): number => (place % 2 === 0 ? place : -place - 1) * 9;

interface Line {
  readonly from: Point;
  readonly to: Point;
  /** To the right, of length 1. */
  readonly right: Point;
  readonly length: number;
}

export function cableLine({ places, view }: Pick<Scene, 'places' | 'view'>, cable: Cable): Line | undefined {
  const [a, b] = [places.get(cable.a), places.get(cable.b)];
  if (!a || !b) return undefined;
  const [from, to] = [toScreen(view, a), toScreen(view, b)];
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  if (length < 1) return undefined;
  const right = { x: -dy / length, y: dx / length };
  const shift = cableShift(cable);
  return { from: along(from, right, shift), to: along(to, right, shift), right, length };
}

const along = ({ x, y }: Point, direction: Point, by: number): Point => ({
  x: x + direction.x * by,
  y: y + direction.y * by,
});

export function draw(context: CanvasRenderingContext2D, scene: Scene, width: number, height: number): void {
  const { colours, network } = scene;
  context.fillStyle = colours.stage;
  context.fillRect(0, 0, width, height);
  context.lineCap = 'round';
  context.font = FONT;
  const isSeen = ({ x, y }: Point): boolean => x > -200 && y > -200 && x < width + 200 && y < height + 200;
  const lines = network.cables.flatMap((cable) => {
    const line = cableLine(scene, cable);
    return line && (isSeen(line.from) || isSeen(line.to)) ? [{ cable, line }] : [];
  });
  for (const { cable, line } of lines) underline(context, scene, cable, line);
  for (const { cable, line } of lines) {
    lane(context, scene, cable.forth, line, 1);
    lane(context, scene, cable.back, line, -1);
  }
  if (lines.length <= MOST_TEXTS) for (const { cable, line } of lines) cableText(context, scene, cable, line);
  for (const name of network.nodes.keys()) {
    const place = scene.places.get(name);
    const at = place && toScreen(scene.view, place);
    if (at && isSeen(at)) node(context, scene, name, at);
  }
  if (scene.box) selectionBox(context, scene, scene.box);
}

/** What is selected, and the path that is looked at, stand on a broad line. */
function underline(context: CanvasRenderingContext2D, scene: Scene, cable: Cable, line: Line): void {
  const isOnPath = [cable.forth, cable.back].some((one) => one && scene.path.has(one.name));
  if (!isOnPath && scene.selectedCable !== cable.key && scene.hover !== cable.key) return;
  context.globalAlpha = scene.hover === cable.key && !isOnPath ? 0.18 : 0.3;
  stroke(context, line.from, line.to, scene.colours.accent, 16);
  context.globalAlpha = 1;
}

/** `side`: 1 for the direction of the line, -1 for the way back. */
function lane(
  context: CanvasRenderingContext2D,
  scene: Scene,
  link: Direction | undefined,
  line: Line,
  side: 1 | -1,
): void {
  if (!link) return;
  const { colours, mode } = scene;
  const load = scene.loads.get(link.name);
  const isUsed = load !== undefined && link.isPresent;
  const width = isUsed ? 1.5 + 4 * Math.min(1, load.use ?? 0.25) : 1;
  const shift = side * (1 + width / 2);
  const from = along(line.from, line.right, shift);
  const to = along(line.to, line.right, shift);
  context.setLineDash(link.isPresent ? [] : [2, 5]);
  if (!isUsed) {
    stroke(context, from, to, colours.idle, width);
    context.setLineDash([]);
    if (!link.isPresent && side === 1) cross(context, middle(line.from, line.to), 5, colours.bad);
    return;
  }
  const colour = mode === 'use' ? useColour(colours, load.use ?? 0.1) : agreementColour(colours, load);
  if (mode === 'agreement' && load.agreement === 'differs') context.setLineDash([7, 5]);
  stroke(context, from, to, colour, width);
  context.setLineDash([]);
  const [start, end] = side === 1 ? [from, to] : [to, from];
  if (line.length > 50) arrow(context, start, end, 3 + width, colour);
}

function agreementColour({ good, bad, idle }: Colours, { agreement }: Load): string {
  if (agreement === 'not measured') return idle;
  return agreement === 'differs' ? bad : good;
}

function stroke(
  context: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  colour: string,
  width: number,
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

function cross(context: CanvasRenderingContext2D, { x, y }: Point, size: number, colour: string): void {
  stroke(context, { x: x - size, y: y - size }, { x: x + size, y: y + size }, colour, 2.5);
  stroke(context, { x: x - size, y: y + size }, { x: x + size, y: y - size }, colour, 2.5);
}

/** Two thirds of the way to the receiver. */
function arrow(
  context: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  size: number,
  colour: string,
): void {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  context.save();
  context.translate(from.x + (to.x - from.x) * 0.7, from.y + (to.y - from.y) * 0.7);
  context.rotate(angle);
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(size + 3, 0);
  context.lineTo(-size, size);
  context.lineTo(-size, -size);
  context.fill();
  context.restore();
}

function cableText(context: CanvasRenderingContext2D, scene: Scene, cable: Cable, line: Line): void {
  const texts = textsOf(scene, cable);
  const width = Math.max(...texts.map((text) => context.measureText(text).width)) + 8;
  const height = TEXT_HEIGHT * texts.length + 4;
  // Texts stand upright: above a flat link, which needs room for their width, and on a steep one, which needs some for their height.
  const free = line.length - nodeRadius(scene.view);
  const isFlat = Math.abs(line.right.x) < 0.35;
  if (texts.length === 0 || free < (isFlat ? width : height + 30)) return;
  const centre = middle(line.from, line.to);
  const at = isFlat ? { x: centre.x, y: centre.y - height / 2 - 7 } : centre;
  const { colours } = scene;
  context.fillStyle = colours.stage;
  context.globalAlpha = 0.85;
  context.fillRect(at.x - width / 2, at.y - height / 2, width, height);
  context.globalAlpha = 1;
  context.fillStyle = colours.dim;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const [index, text] of texts.entries())
    context.fillText(text, at.x, at.y + (index - (texts.length - 1) / 2) * TEXT_HEIGHT + 0.5);
}

/** What was asked for, and below it what is used of it in the busier direction. */
function textsOf({ loads }: Scene, { forth, back }: Cable): string[] {
  const both = [forth, back].flatMap((link) => (link?.isPresent ? [link] : []));
  const [link] = both.sort((a, b) => (loads.get(b.name)?.rateBps ?? 0) - (loads.get(a.name)?.rateBps ?? 0));
  if (!link) return ['down'];
  const used = loads.get(link.name)?.rateBps ?? 0;
  const asked = [
    ...(link.latencyMs > 0 ? [latency(link.latencyMs)] : []),
    ...(link.loss > 0 ? [`${percent(link.loss)} loss`] : []),
  ].join(', ');
  const carried = used > 0 ? `${rate(used)} / ${rate(link.bandwidthBps)}` : rate(link.bandwidthBps);
  const isPlain = used === 0 && link.bandwidthBps === null;
  return [...(asked === '' ? [] : [asked]), ...(isPlain ? [] : [carried])];
}

function node(context: CanvasRenderingContext2D, scene: Scene, name: string, at: Point): void {
  const { colours, view, network } = scene;
  const radius = nodeRadius(view);
  const condition = scene.conditions.get(name);
  const isBridge = network.nodes.get(name)?.kind === 'bridge';
  const isHollow = condition === 'away' || condition === 'cut off';
  if (scene.selected.has(name) || scene.focus === name || scene.hover === name) {
    context.strokeStyle = colours.accent;
    context.lineWidth = scene.selected.has(name) ? 3 : 1.5;
    context.setLineDash(scene.focus === name && !scene.selected.has(name) ? [3, 4] : []);
    outline(context, at, radius + 5, isBridge);
    context.stroke();
    context.setLineDash([]);
  }
  outline(context, at, radius, isBridge);
  context.fillStyle = isHollow ? colours.stage : isBridge ? colours.bridge : colours.node;
  context.fill();
  context.strokeStyle = isHollow ? colours.bad : colours.stage;
  context.lineWidth = 2;
  context.setLineDash(isHollow ? [3, 3] : []);
  context.stroke();
  context.setLineDash([]);
  if (condition === 'away') cross(context, at, radius * 0.5, colours.bad);
  if (condition === 'cut off') {
    stroke(
      context,
      along(at, { x: -1, y: 1 }, radius * 0.7),
      along(at, { x: 1, y: -1 }, radius * 0.7),
      colours.bad,
      2.5,
    );
  }
  const mark = scene.marks.get(name);
  if (mark !== undefined && !isHollow && radius > 8) centredText(context, mark, at, colours.stage);
  if (condition === 'failed' || condition === 'unwatched')
    badge(context, along(at, { x: 1, y: -1 }, radius * 0.8), condition === 'failed' ? '!' : '?', colours);
  if (radius > 6 || scene.selected.has(name) || scene.hover === name)
    label(context, name, { x: at.x, y: at.y + radius + 11 }, colours);
}

/** Bridges are diamonds. */
function outline(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  radius: number,
  isBridge: boolean,
): void {
  context.beginPath();
  if (!isBridge) {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.closePath();
}

function centredText(context: CanvasRenderingContext2D, text: string, at: Point, colour: string): void {
  context.fillStyle = colour;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, at.x, at.y + 0.5);
}

/** A triangle with a sign. */
function badge(context: CanvasRenderingContext2D, { x, y }: Point, sign: string, colours: Colours): void {
  context.fillStyle = colours.warn;
  context.strokeStyle = colours.stage;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y - 10);
  context.lineTo(x + 9, y + 6);
  context.lineTo(x - 9, y + 6);
  context.closePath();
  context.fill();
  context.stroke();
  centredText(context, sign, { x, y: y + 1 }, colours.stage);
}

function label(context: CanvasRenderingContext2D, text: string, { x, y }: Point, colours: Colours): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.strokeStyle = colours.stage;
  context.lineWidth = 4;
  context.lineJoin = 'round';
  context.strokeText(text, x, y);
  context.fillStyle = colours.text;
  context.fillText(text, x, y);
}

function selectionBox(
  context: CanvasRenderingContext2D,
  { colours }: Scene,
  { from, to }: NonNullable<Scene['box']>,
): void {
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  context.setLineDash([]);
}
