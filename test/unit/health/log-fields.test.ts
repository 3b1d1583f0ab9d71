/** Lines of an agent's log have the names of OpenTelemetry, whatever is logged. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logOptions } from '../../../agent/health/log-fields.ts';
import { NetfoldError } from '../../../proto/errors.ts';

function logged(write: (log: pino.Logger) => void, level = 'info'): Record<string, unknown>[] {
  const lines: string[] = [];
  const to = { write: (line: string) => void lines.push(line) };
  write(pino(logOptions({ experiment: 'lab', host: 'host0', level }), to));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('facts are attributes below netfold, the text is the body', () => {
  const [line] = logged((log) =>
    log.warn({ code: 'GOSSIP_RATE', peerName: 'x', body: 'y' }, 'mesh: too much'),
  );
  expect(line).toEqual({
    severity_text: 'WARN',
    severity_number: 13,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    resource: {
      'service.name': 'netfold-agent',
      'service.namespace': 'lab',
      'service.instance.id': 'host0',
      'process.pid': process.pid,
    },
    attributes: { 'netfold.code': 'GOSSIP_RATE', 'netfold.peer_name': 'x', 'netfold.body': 'y' },
    body: 'mesh: too much',
  });
});

test('without facts there are no attributes', () => {
  expect(logged((log) => log.info({}, 'ready'))[0]).not.toHaveProperty('attributes');
});

test('an error has its type, text, stack and code', () => {
  const error = new NetfoldError({ code: 'NO_ROOM', blame: 'machine', message: 'the disk is full' });
  const [line] = logged((log) => log.error(error));
  expect(line).toMatchObject({
    severity_number: 17,
    body: 'the disk is full',
    attributes: {
      'exception.type': error.name,
      'exception.message': 'the disk is full',
      'exception.stacktrace': expect.stringContaining('log-fields.test.ts'),
      'error.type': 'NO_ROOM',
    },
  });
});

test('below the level nothing is written', () => {
  expect(logged((log) => log.info({}, 'x'), 'warn')).toEqual([]);
});
