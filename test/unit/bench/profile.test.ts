/** The content of the profiler's files. */
import { expect, it } from 'vitest';
import { mostExpensive, NATIVE_CODE, type Profile } from '../../../bench/measure/cpu/profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });
const profile: Profile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('(program)') },
    { id: 3, callFrame: frame('run', 'file:///home/x/netfold/agent/tick/tick.ts', 41) },
    { id: 5, callFrame: frame('wait', 'file:///home/x/netfold/agent/kernel/sys/poller.ts', 290) },
    { id: 6, callFrame: frame('pause', 'file:///home/x/netfold/agent/kernel/sys/poller.ts', 325) },
    { id: 4, callFrame: frame('', 'file:///home/x/netfold/node_modules/libp2p/dist/a.js', 6) },
  ],
  startTime: 1000,
  // Ends: 1100, 1200, 1300, 1400, 1500, 1600, 1650, 1700
  samples: [3, 1, 3, 2, 4, 3, 5, 6],
  timeDeltas: [100, 100, 100, 100, 100, 100, 50, 50],
};

it('adds up the time in each function within the span, waiting left out', () => {
  const spent = mostExpensive([profile], { fromMicros: 1200, untilMicros: 1700 }, 9);
  expect(spent).toEqual([
    { what: 'run (agent/tick/tick.ts:42)', cores: 0.4 },
    { what: '(program)', cores: 0.2 },
    { what: '(anonymous) (libp2p/dist/a.js:7)', cores: 0.2 },
  ]);
});

it('adds up threads, and gives the most expensive only', () => {
  const spent = mostExpensive([profile, profile], { fromMicros: 1000, untilMicros: 1600 }, 1);
  expect(spent).toEqual([{ what: 'run (agent/tick/tick.ts:42)', cores: 1 }]);
});

it('has native code from what the processors did, where that is known', () => {
  const spent = mostExpensive([profile], { fromMicros: 1200, untilMicros: 1700 }, 2, 0.9);
  expect(spent.map(({ what }) => what)).toEqual(['run (agent/tick/tick.ts:42)', NATIVE_CODE]);
  // Of 90 %, 60 are JavaScript's.
  expect(spent[1]!.cores).toBeCloseTo(0.3);
});
