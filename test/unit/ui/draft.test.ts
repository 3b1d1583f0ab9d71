import { describe, expect, it } from 'vitest';
import { together } from '../../../controller/api/starting/together.ts';
import {
  bodyOf,
  type Diagnostic,
  EMPTY,
  EXAMPLE,
  fileNameOf,
  gutterOf,
  lineCount,
  lineRange,
  settingsOf,
} from '../../../controller/ui/data/draft.ts';
import { startSchema } from '../../../proto/api/v1/experiments.ts';
import { loadTopology } from '../../../topology/load.ts';

const codeOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the form', () => {
  it('is a request that the server takes, without what is left empty', () => {
    const least = bodyOf({ ...EMPTY, topology: 'services: { a: {} }' });
    expect(least).toEqual({
      ...{ topology: 'services: { a: {} }', file: 'topology.yaml', hosts: 1, delayBackend: 'auto' },
    });
    const most = bodyOf({
      ...EMPTY,
      ...{
        topology: 'x',
        file: 'a.xml',
        name: ' lab ',
        hosts: ' 3 ',
        settings: 'delay=20ms\n\n rate = a=b ',
      },
      ...{ duration: ' 30s', delayBackend: 'netem' as const },
    });
    expect(startSchema.parse(most)).toEqual({
      ...{ topology: 'x', file: 'a.xml', name: 'lab', hosts: 3, duration: '30s', delayBackend: 'netem' },
      set: { delay: '20ms', rate: 'a=b' },
    });
  });

  it('has containers, and hosts over SSH, with what these may be told alone', () => {
    const full = {
      ...EMPTY,
      topology: 'x',
      hosts: '3',
      duration: '30s',
      lease: '9s',
      inventory: 'hosts: {}',
    };
    const common = { topology: 'x', file: 'topology.yaml' };
    const docker = bodyOf({ ...full, place: 'docker', pull: true });
    expect(docker).toEqual({
      ...{ ...common, engine: 'docker', pull: true, delayBackend: 'auto', duration: '30s' },
    });
    const hosts = bodyOf({ ...full, place: 'hosts', never: ' tcp:5432, 192.0.2.0/24', names: true });
    expect(hosts).toEqual({
      ...common,
      inject: {
        ...{ inventory: 'hosts: {}', install: true, names: true, record: false, takeOver: false },
        ...{ lease: '9s', never: ['tcp:5432', '192.0.2.0/24'] },
      },
    });
    for (const body of [docker, hosts]) together(startSchema.parse(body));
    expect(codeOf(() => bodyOf({ ...full, place: 'hosts', inventory: ' ' }))).toBe('INVENTORY');
  });

  it('has an example, which is valid', () => {
    expect(loadTopology(EXAMPLE, 'example.yaml').warnings).toEqual([]);
  });

  it.each(['x', '=1', '1a=2', 'a=1\na=2'])('refuses the variables %j', (text) => {
    expect(codeOf(() => settingsOf(text))).toBe('VARIABLE');
  });

  it.each(['', '0', '-1', '1.5', 'x', '99999'])('refuses %j hosts', (hosts) => {
    expect(codeOf(() => bodyOf({ ...EMPTY, topology: 'x', hosts }))).toBe('HOSTS');
  });

  it('gives files names that the server takes', () => {
    const names = ['my ring.yaml', 'über/a.xml', '.hidden', '../..', '', `${'x'.repeat(120)}.yaml`];
    for (const name of names)
      expect(startSchema.safeParse({ topology: 'x', file: fileNameOf(name) }).error, name).toBeUndefined();
    expect(fileNameOf('ring.yaml')).toBe('ring.yaml');
    expect(fileNameOf(names.at(-1)!)).toMatch(/x\.yaml$/);
  });
});

describe('the text', () => {
  const found = (line: number, severity: Diagnostic['severity']): Diagnostic => {
    return { severity, code: 'UNIT', file: 'a', line, column: 1, field: '', message: '', remedy: '' };
  };

  it('has numbers, and signs where something was found, of which errors come first', () => {
    const all = [found(2, 'warning'), found(3, 'warning'), found(3, 'error'), found(3, 'warning')];
    expect(gutterOf(4, all).split('\n')).toEqual(['  1', '▲ 2', '✕ 3', '  4']);
  });

  it('has lines that can be found', () => {
    const text = 'one\n\nthree';
    expect(lineCount(text)).toBe(3);
    expect(lineCount('')).toBe(1);
    const at = (line: number): string => text.slice(...lineRange(text, line));
    expect([at(1), at(2), at(3), at(9)]).toEqual(['one', '', 'three', 'three']);
  });
});
