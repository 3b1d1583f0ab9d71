import { describe, expect, it } from 'vitest';
import { type Plot, renderSvg } from '../../../bench/report/plot.ts';

const PLOT: Plot = {
  title: 'Rates <of> two flows',
  xTitle: 'time, s',
  yTitle: 'rate, Mb/s',
  series: [
    {
      name: 'first & measured',
      shape: 'lines',
      colour: 0,
      points: [
        [0, 4],
        [1, 7],
        [3, 5],
      ],
    },
    {
      name: 'second',
      shape: 'steps',
      isDashed: true,
      colour: 1,
      points: [
        [0, null],
        [1, 2],
        [3, 6],
      ],
    },
  ],
  marks: [{ x: 2, label: 'the link\nfails' }],
};

/** What follows the path's first point, of the curve with this stroke. */
function curve(svg: string, stroke: string): string {
  const paths = [...svg.matchAll(/<path d="([^"]+)"[^>]*stroke="([^"]+)"[^>]*>/g)];
  return paths.filter(([, , colour]) => colour === stroke).map(([, d]) => d!)[0]!;
}

describe('a plot', () => {
  const svg = renderSvg(PLOT);

  it('has its title, its axes with their units, its series and its marks as text', () => {
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    for (const text of ['Rates &lt;of&gt; two flows', 'time, s', 'rate, Mb/s', 'first &amp; measured'])
      expect(texts).toContain(text);
    for (const text of ['second', 'the link', 'fails']) expect(texts).toContain(text);
  });

  it('is the same text each time, whatever else was drawn', () => {
    renderSvg({ ...PLOT, title: 'another' });
    expect(renderSvg(PLOT)).toBe(svg);
  });

  it('has different colours, a white ground, and dashes where asked for', () => {
    expect(svg).toContain('stroke="#0072b2"');
    expect(svg).toMatch(/stroke="#d55e00"[^>]*stroke-dasharray/);
    expect(svg).not.toMatch(/stroke="#0072b2"[^>]*stroke-dasharray/);
    expect(svg).toContain('fill="#ffffff"');
  });

  it('holds a value of steps until the next, and begins after a gap', () => {
    const steps = curve(renderSvg({ ...PLOT, series: [PLOT.series[1]!] }), '#d55e00');
    const lines = curve(renderSvg({ ...PLOT, series: [{ ...PLOT.series[1]!, shape: 'lines' }] }), '#d55e00');
    const corners = (d: string): number => (d.match(/[A-Z] ?[\d.]+ [\d.]+|[\d.]+ [\d.]+/g) ?? []).length;
    expect(corners(steps)).toBe(corners(lines) + 1);
  });

  it('marks where something happened', () => {
    const without = renderSvg({ ...PLOT, marks: [] });
    const dotted = (text: string): number => text.match(/stroke-dasharray="2,3"/g)?.length ?? 0;
    expect(dotted(svg)).toBe(1);
    expect(dotted(without)).toBe(0);
  });
});
