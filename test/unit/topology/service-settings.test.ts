/** `env`, `cwd`, `user` and capabilities in a file: what they mean, and what is refused at which place. */
import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../../topology/load.ts';
import { native, problems } from './support.ts';

const file = (setting: string): string => `services:\n  a:\n    run: x\n    ${setting}\n`;

describe('the settings of a service', () => {
  it.each(['.', 'state/log', './a..b', '/srv/../x', '/'])('start commands in %s', (path) => {
    expect(native(file(`cwd: ${path}`)).services[0]!.cwd).toEqual({
      path,
      position: { file: 'test.yaml', line: 4, column: 10 },
    });
  });

  it.each([
    ['root', 'root'],
    ['"0"', '0'],
    ['0', '0'],
    ['_x-y.z$', '_x-y.z$'],
  ])('name the user %s', (written, name) => {
    expect(native(file(`user: ${written}`)).services[0]!.user).toMatchObject({ name });
  });

  it('take variables as they are written', () => {
    const { services } = native(file('env: { a_1: "$HOME \\n x=y", _: "", LANG: C }'));
    expect(services[0]!.env).toEqual({ a_1: '$HOME \n x=y', _: '', LANG: 'C' });
  });

  it('take capabilities as Docker Compose does, with and without CAP_', () => {
    const [a] = native(file('cap_add: [NET_ADMIN, cap_sys_ptrace]\n    cap_drop: [ALL]')).services;
    expect(a).toMatchObject({ capAdd: ['NET_ADMIN', 'SYS_PTRACE'], capDrop: ['ALL'] });
  });

  it('are absent where nothing is written', () => {
    const [a] = native(file('tags: [x]')).services;
    for (const key of ['env', 'cwd', 'user', 'capAdd', 'capDrop', 'restart', 'ready', 'after'])
      expect(a).not.toHaveProperty(key);
  });

  it.each([
    [
      'env: { PORT: 80 }',
      '4:18',
      'VALUE_INVALID',
      /services.a.env.PORT: "80" is not a text \(a variable is a text: write it in quotes, e.g. PORT: "8080"\)/,
    ],
    ['env: { latency: 80 }', '4:21', 'VALUE_INVALID', /e.g. latency: "8080"/],
    ['env: { ON: true }', '4:16', 'VALUE_INVALID', /"true" is not a text/],
    ['env: [A=b]', '4:10', 'VALUE_INVALID', /is not a mapping \(write e.g. env: \{ PORT: "8080" \}/],
    ['env: { 1A: x }', '4:12', 'NAME_INVALID', /services.a.env: "1A" is no name of a variable/],
    ['env: { A-B: x }', '4:12', 'NAME_INVALID', /"A-B" is no name of a variable/],
    ['env: { "": x }', '4:12', 'NAME_INVALID', /"" is no name of a variable/],
    ['env: { NETFOLD_NODE: x }', '4:12', 'NAME_INVALID', /"NETFOLD_NODE" is set by netfold/],
    ['env: { A: "x\\0y" }', '4:15', 'VALUE_INVALID', /services.a.env.A: the value has a NUL character/],
    [`env: { A: ${'x'.repeat(100_000)} }`, '4:10', 'VALUE_INVALID', /have 100003 bytes, more than 100000/],
    ['cwd: ""', '4:10', 'VALUE_INVALID', /services.a.cwd/],
    ['cwd: 5', '4:10', 'VALUE_INVALID', /"5" is not a text \(write e.g. cwd: \/srv\/www/],
    ['cwd: "/a\\0"', '4:10', 'VALUE_INVALID', /the path has a NUL character/],
    [
      'cwd: ~/x',
      '4:10',
      'VALUE_INVALID',
      /"~\/x" is not expanded: no shell reads it \(write a path from \/ on/,
    ],
    ['cwd: $HOME', '4:10', 'VALUE_INVALID', /is not expanded/],
    ['cwd: a/../../b', '4:10', 'VALUE_INVALID', /leads out of the endpoint's own folder/],
    ['user: ""', '4:11', 'VALUE_INVALID', /services.a.user/],
    ['user: -1', '4:11', 'VALUE_INVALID', /services.a.user: .*user: www-data/],
    ['user: "-x"', '4:11', 'VALUE_INVALID', /"-x" is no user/],
    ['user: www-data:adm', '4:11', 'VALUE_INVALID', /"www-data:adm" is no user .*groups/],
    ['user: "a b"', '4:11', 'VALUE_INVALID', /is no user/],
    ['user: "a\\0b"', '4:11', 'VALUE_INVALID', /the user has a NUL character/],
    [
      'cap_add: [NET_ADMIM]',
      '4:15',
      'VALUE_INVALID',
      /cap_add\[0\]: there is no capability "NET_ADMIM" \(did you mean "NET_ADMIN"/,
    ],
    ['cap_drop: ["\\0"]', '4:16', 'VALUE_INVALID', /cap_drop\[0\]: there is no capability/],
    ['cap_add: NET_ADMIN', '4:14', 'VALUE_INVALID', /is not a list .*cap_add: \[NET_ADMIN\]/],
    ['user: [root]', '4:11', 'VALUE_INVALID', /services.a.user/],
  ])('are refused where they are wrong: %.60s', (setting, place, code, message) => {
    const [problem, ...others] = problems(file(setting));
    expect(others).toEqual([]);
    expect(formatDiagnostic(problem!)).toMatch(message);
    expect(`${problem!.line}:${problem!.column}`).toBe(place);
    expect(problem!.code).toBe(code);
  });
});
