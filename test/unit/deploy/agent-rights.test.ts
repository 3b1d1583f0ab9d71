/** What agents in containers may do is what docs/security.md says, each with its reason. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_CAPABILITIES } from '../../../controller/deploy/agent-rights.ts';

test('the table of capabilities for users is theirs', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/security.md'), 'utf8');
  const [, section = ''] = text.split('## Agents in containers');
  const rows = [...section.split('\n## ')[0]!.matchAll(/^\| ([A-Z_]+) \| (.+) \|$/gm)];
  expect(rows.map(([, name, why]) => ({ name, why }))).toEqual(AGENT_CAPABILITIES);
});
