import { describe, expect, it } from 'vitest';
import { majorOf, npmErrors } from '../../../deploy/setup/node-packages.mjs';

it('reads the major version, and nothing from what is none', () => {
  expect(majorOf('v24.21.0\n')).toBe(24);
  expect(majorOf('v9.0.0')).toBe(9);
  expect(majorOf('This file intentionally left blank')).toBeUndefined();
});

describe("npm's failures", () => {
  it('are shown without warnings and the help page', () => {
    const output = [
      'npm warn EBADENGINE Unsupported engine {',
      'npm error code EUSAGE',
      'npm error',
      'npm error Missing: a@1.2.3 from lock file',
      'npm error Clean install a project',
      'npm error Usage:',
    ];
    expect(npmErrors(output.join('\n'))).toBe('    code EUSAGE\n    Missing: a@1.2.3 from lock file');
  });
  it('of older versions too', () => {
    expect(npmErrors('npm ERR! code ENOTFOUND\n')).toBe('    code ENOTFOUND');
  });
  it('that are none of its own are shown as they end', () => {
    expect(npmErrors('Segmentation fault\n')).toBe('    Segmentation fault');
  });
});
