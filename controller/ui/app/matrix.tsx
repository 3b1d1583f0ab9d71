/** Flows as a matrix, senders by receivers: for networks that are too large to be drawn. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { percent, rate } from '../data/format.ts';
import type { Live } from '../data/live.ts';
import { pathOf, type Selection } from '../data/selection.ts';
import { type Colours, themeColours, useColour } from '../graph/colours.ts';

/** Of each side; those that carry most. */
const MOST = 200;

interface MatrixProps {
  readonly live: Live;
  readonly select: (selection: Selection) => void;
  readonly theme: string;
}

interface Grid {
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
}

export function Matrix({ live, select, theme }: MatrixProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [told, setTold] = useState('');
  const grid = gridOf(live);
  // Colours are read from the page.
  useEffect(() => {
    if (canvas.current) paint(canvas.current, live, grid, themeColours());
  }, [live.state.nowMs, theme]);
  const pairAt = (event: MouseEvent): string | undefined => {
    const element = event.currentTarget as HTMLCanvasElement;
    const { left, top } = element.getBoundingClientRect();
    const { side, x, y } = measure(element, grid);
    const [column, row] = [
      Math.floor((event.clientX - left - x) / side),
      Math.floor((event.clientY - top - y) / side),
    ];
    const [from, to] = [grid.senders[row], grid.receivers[column]];
    return from !== undefined && to !== undefined && live.state.flows.has(`${from}>${to}`)
      ? `${from}>${to}`
      : undefined;
  };
  return (
    <div class="matrix">
      <p class="note">
        {grid.senders.length} senders (rows) by {grid.receivers.length} receivers (columns),{' '}
        {live.state.flows.size} flows. {told}
      </p>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${live.state.flows.size} flows of ${grid.senders.length} senders to ${grid.receivers.length} receivers; the list of flows has the same`}
        onMouseMove={(event) => {
          const pair = pairAt(event);
          const flow = pair === undefined ? undefined : live.state.flows.get(pair);
          const share = flow?.shareBps ? `, ${percent(flow.rateBps / flow.shareBps)} of its share` : '';
          setTold(flow ? `${flow.from} → ${flow.to}: ${rate(flow.rateBps)}${share}` : '');
        }}
        onClick={(event) => {
          const pair = pairAt(event);
          if (pair !== undefined) select(pathOf(pair));
        }}
      />
    </div>
  );
}

function gridOf({ state, network }: Live): Grid {
  const sums = { from: new Map<string, number>(), to: new Map<string, number>() };
  for (const { from, to, rateBps } of state.flows.values()) {
    sums.from.set(from, (sums.from.get(from) ?? 0) + rateBps);
    sums.to.set(to, (sums.to.get(to) ?? 0) + rateBps);
  }
  const order = new Map([...network.nodes.keys()].map((name, index) => [name, index]));
  const most = (of: Map<string, number>): string[] =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST)
      .map(([name]) => name)
      .sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { senders: most(sums.from), receivers: most(sums.to) };
}

/** Room for names beside the grid, where they can be read. */
const NAMES = 96;

function measure(
  { clientWidth: width, clientHeight: height }: HTMLCanvasElement,
  { senders, receivers }: Grid,
) {
  const [wide, high] = [Math.max(1, receivers.length), Math.max(1, senders.length)];
  const side = Math.max(2, Math.min((width - NAMES - 4) / wide, (height - NAMES - 4) / high, 34));
  return { side, x: NAMES, y: NAMES };
}

function paint(canvas: HTMLCanvasElement, { state }: Live, grid: Grid, colours: Colours): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const ratio = window.devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * ratio));
  // Whoever sets a size gets a new picture in memory, five times a second.
  if (canvas.width !== width) canvas.width = width!;
  if (canvas.height !== height) canvas.height = height!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const { side, x, y } = measure(canvas, grid);
  const rows = new Map(grid.senders.map((name, index) => [name, index]));
  const columns = new Map(grid.receivers.map((name, index) => [name, index]));
  for (const { from, to, rateBps, shareBps } of state.flows.values()) {
    const [row, column] = [rows.get(from), columns.get(to)];
    if (row === undefined || column === undefined) continue;
    const use = shareBps === null ? 0.1 : Math.min(1, rateBps / shareBps);
    context.fillStyle = useColour(colours, use);
    // The size tells the same as the colour.
    const inner = Math.max(2, side * (0.35 + 0.6 * use));
    context.fillRect(
      x + column * side + (side - inner) / 2,
      y + row * side + (side - inner) / 2,
      inner,
      inner,
    );
  }
  if (side < 11) return;
  context.fillStyle = colours.dim;
  context.font = '11px ui-sans-serif, system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const [name, row] of rows) context.fillText(short(name), x - 6, y + (row + 0.5) * side);
  context.textAlign = 'left';
  for (const [name, column] of columns) {
    context.save();
    context.translate(x + (column + 0.5) * side, y - 6);
    context.rotate(-Math.PI / 2);
    context.fillText(short(name), 0, 0);
    context.restore();
  }
}

const short = (name: string): string => (name.length > 14 ? `${name.slice(0, 13)}…` : name);
