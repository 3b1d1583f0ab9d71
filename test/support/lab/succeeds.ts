import { expect } from 'vitest';

/** That a program has ended with 0; a failure shows everything that it said. */
export function expectSuccess(ended: { readonly code: number | null }): void {
  const { code, ...said } = ended;
  expect(code, Object.values(said).join('\n')).toBe(0);
}
