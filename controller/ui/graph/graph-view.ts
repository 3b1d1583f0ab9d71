/** The graph's canvas: what is drawn, and what pointer and keys do there. It draws when something has changed, and only then. */

import type { Condition, Load, Network } from '../data/network.ts';
import { themeColours } from './colours.ts';
import { cableLine, draw, type Mode, nodeRadius, type Scene, toScreen, type View } from './draw.ts';
import type { Point } from './layout.ts';
import type { Arrangement } from './map.ts';
import type { Places } from './places.ts';

export interface GraphData {
  readonly network: Network;
  readonly loads: ReadonlyMap<string, Load>;
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly marks: ReadonlyMap<string, string>;
  readonly selected: ReadonlySet<string>;
  readonly selectedCable: string | undefined;
  readonly path: ReadonlySet<string>;
  readonly mode: Mode;
}

export interface GraphEars {
  /** `adds`: to what is selected. */
  readonly onNode: (name: string, adds: boolean) => void;
  readonly onCable: (key: string) => void;
  readonly onNodes: (names: readonly string[]) => void;
  readonly onNothing: () => void;
  /** What the keys stand on, or the pointer is over. */
  readonly onFocus: (name: string | undefined) => void;
}

/** Pixels that a pointer may move within a click, and may be away from a line. */
const CLICK_PIXELS = 4;
const NEAR_PIXELS = 7;
/** Directions of keys. */
const STEPS: Readonly<Record<string, Point | undefined>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const MARGIN = 64;
const [MIN_SCALE, MAX_SCALE] = [0.02, 6];

type Drag =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'view'; readonly from: View }
  | { readonly kind: 'box' };

export class GraphView {
  readonly #canvas: HTMLCanvasElement;
  readonly #places: Places;
  readonly #ears: GraphEars;
  readonly #observer: ResizeObserver;
  #data: GraphData | undefined;
  #view: View = { scale: 1, x: 0, y: 0 };
  /** Somebody has moved it: it no longer follows the size. */
  #isMoved = false;
  #drawn = 0;
  #shown = 0;
  #focus: string | undefined;
  #hover: string | undefined;
  #drag: Drag | undefined;
  #start: Point | undefined;
  #box: Scene['box'];

  constructor(canvas: HTMLCanvasElement, places: Places, ears: GraphEars) {
    this.#canvas = canvas;
    this.#places = places;
    this.#ears = ears;
    this.#observer = new ResizeObserver(() => {
      if (!this.#isMoved) this.fit();
      this.#later();
    });
    this.#observer.observe(canvas);
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => this.#up(event));
    canvas.addEventListener('pointerleave', () => this.#hoverOver(undefined));
    canvas.addEventListener('dblclick', () => this.fit());
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  stop(): void {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#drawn);
  }

  show(data: GraphData): void {
    this.#data = data;
    this.#places.update(data.network);
    const { size } = this.#places.all;
    if (size !== this.#shown && !this.#isMoved) this.fit();
    this.#shown = size;
    this.#later();
  }

  /** Everything is seen, as large as it can be. */
  fit(): void {
    const places = [...this.#places.all.values()];
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#isMoved = false;
    if (places.length === 0 || width === 0) return;
    const [left, right] = extent(places.map(({ x }) => x));
    const [top, bottom] = extent(places.map(({ y }) => y));
    const scale = Math.min(
      (width - 2 * MARGIN) / Math.max(1, right - left),
      (height - 2 * MARGIN) / Math.max(1, bottom - top),
      1.8,
    );
    const used = Math.max(MIN_SCALE, scale);
    this.#view = {
      scale: used,
      x: width / 2 - ((left + right) / 2) * used,
      y: height / 2 - ((top + bottom) / 2) * used,
    };
    this.#later();
  }

  zoom(factor: number, at?: Point): void {
    const { x: centreX, y: centreY } = at ?? {
      x: this.#canvas.clientWidth / 2,
      y: this.#canvas.clientHeight / 2,
    };
    const { scale, x, y } = this.#view;
    const next = Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale * factor));
    const by = next / scale;
    this.#view = { scale: next, x: centreX - (centreX - x) * by, y: centreY - (centreY - y) * by };
    this.#isMoved = true;
    this.#later();
  }

  layOutAgain(how: Arrangement): void {
    if (!this.#data) return;
    this.#places.reset(this.#data.network, how);
    this.fit();
  }

  /** Whether the key meant something here. */
  key({ key, shiftKey }: KeyboardEvent): boolean {
    const step = STEPS[key];
    if (step) this.#walk(step);
    else if ((key === 'Enter' || key === ' ') && this.#focus !== undefined)
      this.#ears.onNode(this.#focus, shiftKey);
    else if (key === '+' || key === '=') this.zoom(1.25);
    else if (key === '-') this.zoom(0.8);
    else if (key === '0') this.fit();
    else if (key === 'Escape') this.#ears.onNothing();
    else return false;
    return true;
  }

  /** The focus goes to the nearest node in this direction. */
  #walk(direction: Point): void {
    const from = this.#focus === undefined ? undefined : this.#places.all.get(this.#focus);
    let best: { readonly name: string; readonly distance: number } | undefined;
    for (const [name, { x, y }] of this.#places.all) {
      if (!this.#data?.network.nodes.has(name) || name === this.#focus) continue;
      const [dx, dy] = [x - (from?.x ?? 0), y - (from?.y ?? 0)];
      const ahead = dx * direction.x + dy * direction.y;
      const aside = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
      if (from && ahead <= 0) continue;
      const distance = from ? ahead + 2 * aside : Math.hypot(dx, dy);
      if (!best || distance < best.distance) best = { name, distance };
    }
    if (!best) return;
    this.#focus = best.name;
    this.#ears.onFocus(best.name);
    this.#later();
  }

  #pointAt(event: MouseEvent): Point {
    const { left, top } = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const at = this.#pointAt(event);
    const name = this.#nodeAt(at);
    this.#canvas.setPointerCapture(event.pointerId);
    this.#start = at;
    if (name !== undefined) this.#drag = { kind: 'node', name };
    else this.#drag = event.shiftKey ? { kind: 'box' } : { kind: 'view', from: this.#view };
  }

  #move(event: PointerEvent): void {
    const at = this.#pointAt(event);
    const [drag, start] = [this.#drag, this.#start];
    if (!drag || !start) {
      this.#hoverOver(this.#nodeAt(at) ?? this.#cableAt(at));
      return;
    }
    if (Math.hypot(at.x - start.x, at.y - start.y) < CLICK_PIXELS && !this.#box) return;
    if (drag.kind === 'node') {
      const { scale, x, y } = this.#view;
      this.#places.move(drag.name, { x: (at.x - x) / scale, y: (at.y - y) / scale });
    } else if (drag.kind === 'view') {
      const { scale, x, y } = drag.from;
      this.#view = { scale, x: x + at.x - start.x, y: y + at.y - start.y };
      this.#isMoved = true;
    } else this.#box = { from: start, to: at };
    this.#later();
  }

  #up(event: PointerEvent): void {
    const at = this.#pointAt(event);
    const [drag, start, box] = [this.#drag, this.#start, this.#box];
    this.#drag = undefined;
    this.#start = undefined;
    this.#box = undefined;
    this.#later();
    if (!drag || !start) return;
    if (box) {
      this.#ears.onNodes(this.#nodesIn(box));
      return;
    }
    if (Math.hypot(at.x - start.x, at.y - start.y) >= CLICK_PIXELS) {
      if (drag.kind === 'node') this.#places.save();
      return;
    }
    if (drag.kind === 'node') {
      this.#ears.onNode(drag.name, event.shiftKey || event.ctrlKey || event.metaKey);
      return;
    }
    const cable = this.#cableAt(at);
    if (cable !== undefined) this.#ears.onCable(cable);
    else this.#ears.onNothing();
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoom(Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 400), this.#pointAt(event));
  }

  #hoverOver(what: string | undefined): void {
    if (what === this.#hover) return;
    this.#hover = what;
    this.#canvas.style.cursor = what === undefined ? 'grab' : 'pointer';
    this.#ears.onFocus(what);
    this.#later();
  }

  #nodesIn({ from, to }: NonNullable<Scene['box']>): string[] {
    const [left, right] = extent([from.x, to.x]);
    const [top, bottom] = extent([from.y, to.y]);
    return [...this.#places.all].flatMap(([name, place]) => {
      const { x, y } = toScreen(this.#view, place);
      const isInside = x >= left && x <= right && y >= top && y <= bottom;
      return isInside && this.#data?.network.nodes.has(name) ? [name] : [];
    });
  }

  #nodeAt(at: Point): string | undefined {
    const reach = nodeRadius(this.#view) + 5;
    let best: { readonly name: string; readonly distance: number } | undefined;
    for (const [name, place] of this.#places.all) {
      const { x, y } = toScreen(this.#view, place);
      const distance = Math.hypot(x - at.x, y - at.y);
      if (distance < reach && (!best || distance < best.distance) && this.#data?.network.nodes.has(name))
        best = { name, distance };
    }
    return best?.name;
  }

  #cableAt(at: Point): string | undefined {
    const scene = { places: this.#places.all, view: this.#view };
    let best: { readonly key: string; readonly distance: number } | undefined;
    for (const cable of this.#data?.network.cables ?? []) {
      const line = cableLine(scene, cable);
      if (!line) continue;
      const distance = distanceTo(at, line.from, line.to);
      if (distance < NEAR_PIXELS && (!best || distance < best.distance)) best = { key: cable.key, distance };
    }
    return best?.key;
  }

  #later(): void {
    cancelAnimationFrame(this.#drawn);
    this.#drawn = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const context = this.#canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!context || !this.#data || width === 0) return;
    const ratio = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const scene: Scene = {
      ...this.#data,
      places: this.#places.all,
      view: this.#view,
      focus: this.#focus,
      hover: this.#hover,
      box: this.#box,
      colours: themeColours(),
    };
    draw(context, scene, width, height);
  }
}

function extent(values: readonly number[]): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** Of a point to the piece of a line between two others. */
function distanceTo(at: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const part = ((at.x - a.x) * dx + (at.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  const inside = Math.min(1, Math.max(0, part));
  return Math.hypot(at.x - a.x - dx * inside, at.y - a.y - dy * inside);
}
