/** The dashboard's program is committed: it has to be what its sources give, and to keep to the page's policy. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BUNDLE_FILE, isBundleCurrent } from '../../../controller/ui/build.ts';
import { PAGE, PAGE_POLICY, readProgram } from '../../../controller/ui/page.ts';

test('the built program is what its sources give', { timeout: 60_000 }, async () => {
  expect(await isBundleCurrent()).toBe(true);
});

test('the server sends that program', () => {
  expect(readProgram().equals(readFileSync(BUNDLE_FILE))).toBe(true);
});

test('the page has no script and no style of its own, and fetches nothing from elsewhere', () => {
  expect(PAGE.match(/<script/g)).toHaveLength(1);
  expect(PAGE).not.toMatch(/<style|style=|onload=/);
  expect(PAGE_POLICY).toContain("default-src 'none'");
  expect(PAGE_POLICY).not.toMatch(/unsafe|https?:|\*/);
});
