/** Values over time as SVG, without a browser: lines or steps with named series, and marks for events. */
import { type EChartsOption, init, type LineSeriesOption } from 'echarts';

export interface Series {
  readonly name: string;
  /** In order of x; y null: a gap. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
  /** `steps`: a value holds until the next. */
  readonly shape: 'lines' | 'steps';
  /** Dashed and thick, to be drawn over a line of the same colour. */
  readonly isDashed?: boolean;
  /** Index into the palette; series that belong together have the same. */
  readonly colour: number;
}

export interface Mark {
  readonly x: number;
  readonly label: string;
}

export interface Plot {
  readonly title: string;
  /** Axes' titles, with their units. */
  readonly xTitle: string;
  readonly yTitle: string;
  /** Decades have equal heights; no y may be 0. */
  readonly isLogarithmic?: boolean;
  readonly series: readonly Series[];
  readonly marks: readonly Mark[];
}

/** Colours that can be distinguished with any colour vision (Okabe and Ito, "Color Universal Design", 2008). */
const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
const TEXT = '#222222';
const GRID = '#dddddd';
const WIDTH = 960;
const HEIGHT = 480;

/** The same plot gives the same text. */
export function renderSvg(plot: Plot): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(optionOf(plot));
    return `${plainIds(chart.renderToSVGString())}\n`;
  } finally {
    chart.dispose();
  }
}

/** Names within the picture contain counters of the whole process. */
function plainIds(svg: string): string {
  const numbers = new Map<string, number>();
  return svg.replace(/\bzr\d+-([a-z]+)-?\d+\b/g, (whole, kind: string) => {
    const number = numbers.get(whole) ?? numbers.size;
    numbers.set(whole, number);
    return `${kind}${number}`;
  });
}

const LOGARITHMIC = { type: 'log', min: 'dataMin', logBase: 10 } as const;

function optionOf(plot: Plot): EChartsOption {
  const axis = {
    type: 'value' as const,
    min: 0,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: TEXT, fontSize: 14 },
    axisLabel: { color: TEXT, fontSize: 13 },
    axisLine: { show: true, lineStyle: { color: TEXT } },
    splitLine: { lineStyle: { color: GRID } },
  };
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    title: { text: plot.title, left: 'center', top: 8, textStyle: { color: TEXT, fontSize: 16 } },
    legend: {
      top: 36,
      textStyle: { color: TEXT, fontSize: 12 },
      itemWidth: 32,
      itemGap: 18,
      itemStyle: { opacity: 0 },
    },
    grid: { left: 64, right: 24, top: 128, bottom: 56 },
    xAxis: { ...axis, name: plot.xTitle, nameGap: 32, max: lastX(plot) },
    yAxis: { ...axis, ...(plot.isLogarithmic ? LOGARITHMIC : {}), name: plot.yTitle, nameGap: 44 },
    series: plot.series.map((series, index) => seriesOf(series, index === 0 ? plot.marks : [])),
  };
}

function lastX({ series }: Plot): number {
  return Math.ceil(Math.max(...series.map(({ points }) => points.at(-1)?.[0] ?? 0)));
}

/** ECharts attaches the marks of the plot to one of its series. */
function seriesOf(series: Series, marks: readonly Mark[]): LineSeriesOption {
  const color = PALETTE[series.colour % PALETTE.length]!;
  const isDashed = series.isDashed === true;
  return {
    type: 'line',
    name: series.name,
    data: series.points.map(([x, y]) => [x, y ?? '-']),
    showSymbol: false,
    symbol: 'none',
    ...(series.shape === 'steps' ? { step: 'end' as const } : {}),
    itemStyle: { color },
    lineStyle: { color, width: isDashed ? 2.5 : 1.5, type: isDashed ? [7, 4] : 'solid' },
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: { color: TEXT, width: 1, type: [2, 3] },
      label: { color: TEXT, fontSize: 12, rotate: 0, position: 'end', align: 'left', width: 100 },
      data: marks.map(({ x, label }, index) => ({
        xAxis: x,
        label: { formatter: label, distance: [-4, 6 + 16 * (index % 3)] },
      })),
    },
  };
}
