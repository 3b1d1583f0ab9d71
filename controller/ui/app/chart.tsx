/** A chart of what was seen lately. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Series } from '../data/series.ts';
import { themeColours } from '../graph/colours.ts';

export interface Line {
  readonly label: string;
  /** `asked`: a dashed line; `measured`: a solid one; `points`: single measurements. */
  readonly kind: 'asked' | 'measured' | 'points';
}

interface ChartProps {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly series: Series | undefined;
  readonly format: (value: number) => string;
  /** Changes when the colours have changed. */
  readonly theme: string;
  /** Beside its title. */
  readonly children?: ComponentChildren;
}

const HEIGHT = 130;

export function Chart({ label, lines, series, format, theme, children }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    if (!place.current) return;
    const element = place.current;
    const made = new uPlot(optionsOf(lines, format, element.clientWidth), dataOf(series, lines), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // The data follows below
  }, [theme, label]);
  useEffect(() => {
    plot.current?.setData(dataOf(series, lines));
  });
  const last = lines.map(({ label: name }, index) => {
    const value = series?.lastSeen(index);
    return `${name} ${value == null ? 'none' : format(value)}`;
  });
  return (
    <figure class="chart">
      <figcaption>
        {label}
        <span class="note"> {last.join(', ')}</span>
        {children}
      </figcaption>
      <div ref={place} role="img" aria-label={`${label}: ${last.join(', ')}`} />
    </figure>
  );
}

function dataOf(series: Series | undefined, lines: readonly Line[]): uPlot.AlignedData {
  if (!series) return [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData;
  const { seconds, columns } = series.table();
  return [seconds, ...columns] as uPlot.AlignedData;
}

function optionsOf(lines: readonly Line[], format: (value: number) => string, width: number): uPlot.Options {
  const colours = themeColours();
  const axis = { stroke: colours.dim, grid: { stroke: colours.idle, width: 0.5 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    cursor: { y: false },
    legend: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, (most || 1) * 1.15] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick}s`), size: 28 },
      { ...axis, values: (_, ticks) => ticks.map(format), size: 74 },
    ],
    series: [
      {},
      ...lines.map(({ label, kind }): uPlot.Series => {
        const stroke = kind === 'asked' ? colours.warn : colours.accent;
        return {
          label,
          stroke,
          width: kind === 'asked' ? 1.5 : 2,
          ...(kind === 'asked' && { dash: [6, 4] }),
          spanGaps: kind !== 'measured',
          points: { show: kind === 'points', size: 5, fill: stroke },
        };
      }),
    ],
  };
}
