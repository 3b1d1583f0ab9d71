/** `restart`, `ready` and `after` in a file: what they mean, and what is refused at which place. */
import { describe, expect, it } from 'vitest';
import { formatDiagnostic, loadTopology } from '../../../../topology/load.ts';
import { native, problems } from '../support.ts';

const file = (setting: string): string => `services:\n  a:\n    run: x\n    ${setting}\n  db: { run: y }\n`;
const first = (setting: string) => native(file(setting)).services[0]!;

describe('the life of a service', () => {
  it.each(['no', 'on-failure', 'always'])('say when its command is started again: %s', (restart) => {
    expect(first(`restart: ${restart}`).restart).toBe(restart);
  });

  it.each([
    ['{ port: 80 }', { kind: 'port', port: 80 }, 60e6],
    ['{ log: "is up", timeout: 1m30s }', { kind: 'log', text: 'is up' }, 90e6],
    ['{ command: "ping me", timeout: 500ms }', { kind: 'command', command: 'ping me' }, 0.5e6],
  ])('is ready as %s says', (written, check, timeout) => {
    expect(first(`ready: ${written}`).ready).toEqual({ check, timeout });
  });

  it.each([
    ['db', ['db']],
    ['[db]', ['db']],
    ['[db, db]', ['db']],
  ])('begins after %s', (written, after) => {
    expect(first(`after: ${written}`).after).toEqual(after);
  });

  it('warns of settings without a command', () => {
    const { warnings } = loadTopology(
      'services: { a: { restart: always, ready: { port: 1 }, after: b }, b: {} }\nlinks: [{ from: a, to: b }]\n',
      'test.yaml',
    );
    expect(warnings.map(formatDiagnostic)).toEqual([
      'test.yaml:1:27: warning: services.a.restart: the service has no command that could be started again (add run, or remove restart)',
      'test.yaml:1:42: warning: services.a.ready: the service has no command that could become ready (add run, or remove ready)',
      'test.yaml:1:62: warning: services.a.after: the service has no command that could wait (add run, or remove after)',
    ]);
  });

  it.each([
    [
      'restart: unless-stopped',
      '4:14',
      'VALUE_INVALID',
      /"unless-stopped" is none of no, on-failure, always \(write no, on-failure or always\)/,
    ],
    ['restart: true', '4:14', 'VALUE_INVALID', /services.a.restart/],
    [
      'ready: {}',
      '4:12',
      'VALUE_INVALID',
      /services.a.ready: nothing is checked \(write one of command, port and log/,
    ],
    ['ready: { port: 1, log: x }', '4:12', 'VALUE_INVALID', /port and log stand beside each other/],
    ['ready: 80', '4:12', 'VALUE_INVALID', /services.a.ready: .*write e.g. ready: \{ port: 6379 \}/],
    ['ready: { port: 0 }', '4:20', 'VALUE_INVALID', /services.a.ready.port: .*from 1 to 65535/],
    ['ready: { port: "80" }', '4:20', 'VALUE_INVALID', /services.a.ready.port/],
    ['ready: { prt: 80 }', '4:14', 'KEY_UNKNOWN', /did you mean "port"/],
    ['ready: { port: 80, timeout: 30 }', '4:33', 'UNIT', /services.a.ready.timeout: "30" has no unit/],
    ['ready: { port: 80, timeout: 0s }', '4:33', 'VALUE_INVALID', /a timeout of nothing/],
    ['ready: { command: "a\\0b" }', '4:23', 'VALUE_INVALID', /has a NUL character/],
    ['ready: { log: "a\\nb" }', '4:19', 'VALUE_INVALID', /more than one line/],
    ['after: bd', '4:12', 'NAME_UNKNOWN', /services.a.after: there is no service "bd" \(did you mean "db"/],
    [
      'after: [db, xyz]',
      '4:17',
      'NAME_UNKNOWN',
      /services.a.after\[1\]: there is no service "xyz" \(name a service: a, db/,
    ],
    ['after: db.0', '4:12', 'NAME_UNKNOWN', /there is no service "db.0"/],
    ['after: 5', '4:12', 'VALUE_INVALID', /services.a.after: .*name services, e.g. after: db/],
    ['after: a', '4:12', 'AFTER_CIRCLE', /services.a.after: a circle: a after a \(remove one of these/],
  ])('is refused where it is wrong: %s', (setting, place, code, message) => {
    const [problem, ...others] = problems(file(setting));
    expect(others).toEqual([]);
    expect(formatDiagnostic(problem!)).toMatch(message);
    expect(`${problem!.line}:${problem!.column}`).toBe(place);
    expect(problem!.code).toBe(code);
  });

  it('tells each circle once, and no chain', () => {
    const services = [
      'a: { run: x, after: [b, e] }',
      'b: { run: x, after: c }',
      'c: { run: x, after: [d, a] }',
      'd: { run: x, after: d }',
      'e: { run: x, after: f }',
      'f: { run: x }',
    ];
    const found = problems(`services:\n  ${services.join('\n  ')}\n`).filter(
      ({ code }) => code === 'AFTER_CIRCLE',
    );
    expect(found.map(({ message }) => message)).toEqual([
      'a circle: a after b after c after a',
      'a circle: d after d',
    ]);
    const chain = Array.from({ length: 3000 }, (_, i) => `  s${i}: { run: x, after: s${i + 1} }`);
    const long = `services:\n${chain.join('\n')}\n  s3000: { run: x }\n`;
    expect(native(long).services).toHaveLength(3001);
  });
});
