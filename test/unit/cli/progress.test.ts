/** The line that is written over. */
import { describe, expect, it } from 'vitest';
import { ProgressLine, progressText, terminalWriter } from '../../../controller/cli/terminal/progress.ts';

function lineAt(clock: { now: number }): { line: ProgressLine; written: string[] } {
  const written: string[] = [];
  return {
    line: new ProgressLine(
      (text) => written.push(text),
      () => clock.now,
    ),
    written,
  };
}

describe('a line of progress', () => {
  it('changes at most ten times a second', () => {
    const clock = { now: 1000 };
    const { line, written } = lineAt(clock);
    for (let made = 0; made < 300; made++, clock.now += 10) line.show(`${made}`);
    expect(written).toHaveLength(30);
    expect(written.slice(0, 3)).toEqual(['0', '10', '20']);
  });

  it('is taken away once, when something else is written', () => {
    const { line, written } = lineAt({ now: 0 });
    line.clear();
    line.show('half');
    line.clear();
    line.clear();
    expect(written).toEqual(['half', '']);
  });

  it('is nothing without a terminal', () => {
    const line = new ProgressLine(undefined, () => 0);
    line.show('half');
    line.clear();
  });
});

describe('a terminal', () => {
  const stream = (isTTY: boolean, columns = 20) => {
    const written: string[] = [];
    return { written, isTTY, columns, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
  };

  it('has the line erased and written anew, cut to its width', () => {
    const terminal = stream(true, 10);
    terminalWriter(terminal, 'xterm')!('making endpoints');
    expect(terminal.written).toEqual(['\r\u001b[Kmaking en']);
  });

  it('that does not know its width is taken for a usual one', () => {
    const terminal = stream(true, 0);
    terminalWriter(terminal, 'xterm')!('making endpoints');
    expect(terminal.written).toEqual(['\r\u001b[Kmaking endpoints']);
  });

  it('that can not erase gets none, and no file does', () => {
    expect(terminalWriter(stream(true), 'dumb')).toBeUndefined();
    expect(terminalWriter(stream(false), 'xterm')).toBeUndefined();
  });
});

it('numbers are grouped', () => {
  expect(progressText({ doing: 'making endpoints', done: 1200, of: 2668 })).toBe(
    'making endpoints 1,200 of 2,668',
  );
});
