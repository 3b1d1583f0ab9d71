import { expect, test } from 'vitest';
import { MAX_LINES, NAMED_AGAIN_MS, RejectionLog } from '../../../../agent/mesh/exchange/rejection-log.ts';

function newLog() {
  const time = { now: 0 };
  const lines: object[] = [];
  const log = {
    info: () => {},
    warn: (fields: object, message: string) => void lines.push({ ...fields, message }),
  };
  return { time, lines, log: new RejectionLog(log, () => time.now) };
}

const refused = { rejected: 'PEER_NOT_ALLOWED', reason: 'not on the list' } as const;

test('each kind names each peer and address once a minute, with the number of refusals since', () => {
  const { time, lines, log } = newLog();
  for (let time = 0; time < 50; time++) log.note(refused, { peer: 'p', address: '192.0.2.7' });
  log.note({ ...refused, rejected: 'GOSSIP_RATE' }, { peer: 'p', via: 'q' });
  log.note(refused, { address: '192.0.2.8' });
  const message = 'mesh: not on the list';
  expect(lines).toEqual([
    { code: 'PEER_NOT_ALLOWED', peer: 'p', address: '192.0.2.7', message },
    { code: 'GOSSIP_RATE', peer: 'p', via: 'q', message },
    { code: 'PEER_NOT_ALLOWED', address: '192.0.2.8', message },
  ]);
  time.now = NAMED_AGAIN_MS;
  log.note(refused, { peer: 'p', address: '192.0.2.7' });
  expect(lines[3]).toMatchObject({ peer: 'p', before: 49 });
});

test('whatever names they use: a fixed number of lines of a kind a minute, and none for ordinary refusals', () => {
  const { time, lines, log } = newLog();
  for (let number = 0; number < 10_000; number++) log.note(refused, { peer: `p${number}` });
  expect(lines).toHaveLength(MAX_LINES);
  log.note({ ...refused, rejected: 'STALE_SEQUENCE' }, { peer: 'late' });
  log.note({ ...refused, rejected: 'ENDPOINT_FOREIGN' }, { peer: 'liar' });
  expect(lines.slice(MAX_LINES)).toMatchObject([{ code: 'ENDPOINT_FOREIGN' }]);
  time.now = NAMED_AGAIN_MS;
  log.note(refused, { peer: 'one more' });
  expect(lines).toHaveLength(MAX_LINES + 2);
});
