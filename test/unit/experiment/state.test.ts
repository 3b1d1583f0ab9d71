import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OPEN_FILE, replaceFile } from '../../../agent/files/own-files.ts';
import { ControllerError } from '../../../controller/errors.ts';
import {
  findExperiment,
  parseState,
  readState,
  reserveExperiment,
  stateReader,
} from '../../../controller/experiment/state.ts';

/** No experiment on any machine has this name. */
const UNUSED = 'unit-test-that-never-runs';

test.each(['', '-x', '_x', 'a.b', 'a/b', '..', '../x', 'a b', 'ä', 'x\n', 'x'.repeat(41)])(
  '"%s" is no name for an experiment, and makes no folder',
  async (name) => {
    let error: unknown;
    try {
      await reserveExperiment(name);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ControllerError);
    expect(error).toMatchObject({ code: 'NAME_INVALID', blame: 'usage' });
    expect((error as Error).message).toContain(`"${name}"`);
    if (name.length > 2) expect(existsSync(`/run/netfold/${name}`)).toBe(false);
  },
);

test('an experiment without a state file has no state', () => {
  expect(readState(UNUSED)).toBeUndefined();
});

test('an experiment that does not exist is not found, by its name', async () => {
  await expect(findExperiment(UNUSED)).rejects.toThrow(`there is no experiment "${UNUSED}"`);
});

describe('a state file', () => {
  const endpoint = {
    name: 'a.0',
    namespace: 'netfold.x.a.0',
    ifindex: 2,
    address: '10.1.0.1',
    host: 'host0',
  };
  const written = {
    name: 'x',
    topologyFile: 'x.yaml',
    startedAt: '2026-11-22T10:00:00.000Z',
    hosts: [{ name: 'host0', namespace: 'netfold.x+host0' }],
    endpoints: [{ ...endpoint, addresses: ['10.1.0.1'] }],
  };

  test('names the platform', () => {
    expect(parseState({ ...written, platform: 'docker' })).toEqual({ ...written, platform: 'docker' });
  });

  test.each([
    [false, 'lab'],
    [true, 'site'],
  ])('of an older version said existing: %s, which was the platform %s', (existing, platform) => {
    expect(parseState({ ...written, existing })).toEqual({ ...written, platform });
    expect(parseState({ ...written, existing, joined: true })).toEqual({
      ...written,
      platform,
      joined: true,
    });
  });

  test.each([
    ['no platform', written],
    ['a platform that is no name', { ...written, platform: 1 }],
    ['no object', 'x'],
  ])('with %s is damaged', (_, json) => {
    expect(() => parseState(json)).toThrow();
  });

  test('is read again when it was replaced, and not otherwise', () => {
    const folder = mkdtempSync(join(tmpdir(), 'netfold-state-'));
    try {
      const path = join(folder, 'x.json');
      const write = (startedAt: string): void =>
        replaceFile(path, JSON.stringify({ ...written, platform: 'lab', startedAt }), { mode: OPEN_FILE });
      const read = stateReader(() => path);
      expect(read('x')).toBeUndefined();
      write('2026-11-22T10:00:00.000Z');
      const first = read('x');
      expect(first?.startedAt).toBe('2026-11-22T10:00:00.000Z');
      expect(read('x')).toBe(first);
      write('2026-11-22T11:00:00.000Z');
      expect(read('x')?.startedAt).toBe('2026-11-22T11:00:00.000Z');
      replaceFile(path, 'damaged', { mode: OPEN_FILE });
      expect(read('x')).toBeUndefined();
      rmSync(path);
      expect(read('x')).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
