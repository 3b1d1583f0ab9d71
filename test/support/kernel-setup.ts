/** Before and after the kernel tests. */
import { keepLogsApart } from '../../bench/logs-apart.ts';

/** Without root, the first test would fail with a less clear message. Returns the clean-up. */
export default function setUp(): () => void {
  if (process.getuid?.() === 0) return keepLogsApart();
  throw new Error(
    'the kernel tests make network namespaces and need root: sudo npm test, or leave them out: vitest run --project unit',
  );
}
