import { describe, expect, it } from 'vitest';
import { commandsOf, timelineText, withoutPauses } from '../../../controller/record/by-hand.ts';
import { loadTopology } from '../../../topology/load.ts';

const row = (dueMs: number, text: string, more = {}) => ({
  ...{ tMs: dueMs + 2, dueMs, untilMs: null, origin: 'user alice', text, outcome: 'done' },
  ...more,
});
const EVENTS = [
  row(1500, 'at 1500ms heal', { origin: 'file', outcome: null }),
  row(2000, 'set a--b latency=50ms'),
  row(3000, 'crash b', { outcome: 'failed' }),
  row(30_000, 'flap a--b every 500ms', { untilMs: 32_000 }),
  row(31_000, 'set a--b latency=1ms', { outcome: 'undone' }),
];

describe('what was done by hand', () => {
  it('is what had an effect, and not what the file did', () => {
    expect(commandsOf(EVENTS).map(({ text }) => text)).toEqual([
      'set a--b latency=50ms',
      'flap a--b every 500ms',
      'set a--b latency=1ms',
    ]);
  });
  it('becomes events that the topology file takes', () => {
    const { text, omitted } = timelineText(commandsOf(EVENTS), ['by hand']);
    expect(omitted).toEqual([]);
    expect(text).toBe(
      '# by hand\nevents:\n  - at 2s set a--b latency=50ms\n  - from 30s to 32s flap a--b every 500ms\n  - at 31s set a--b latency=1ms\n',
    );
    const file = `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 5ms }]\n${text}`;
    const events = loadTopology(file, 'lab.yaml').topology.events;
    expect(events.map(({ at }) => at)).toEqual([2e6, 30e6, 31e6]);
  });
  it('writes whatever a command contains as one text', () => {
    const text = 'run a: echo "x # y" \'z\'';
    const written = timelineText([{ atMs: 1, untilMs: null, text }], []).text;
    expect(written).toBe(`events:\n  - ${JSON.stringify(`at 1ms ${text}`)}\n`);
  });
  it('leaves out a reset, and says so', () => {
    const { text, omitted } = timelineText([{ atMs: 5000, untilMs: null, text: 'reset' }], []);
    expect(text).toBe('events: []\n');
    expect(omitted).toHaveLength(1);
    expect(omitted[0]).toContain('5s');
  });
  it('keeps the order and the windows when pauses are cut', () => {
    const cut = withoutPauses(commandsOf(EVENTS), 5000);
    expect(cut.map(({ atMs, untilMs }) => [atMs, untilMs])).toEqual([
      [2000, null],
      [7000, 9000],
      [8000, null],
    ]);
  });
});
