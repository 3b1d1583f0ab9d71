// @ts-check
/**
 * A reporter of vitest, beside its own: tests that passed only at a later try, a line each. They are no failures, and
 * whoever reads a run should know which they are.
 */
import { ROOT } from './processes.mjs';
import { sayDoing } from './report.mjs';

export default class SecondTries {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules) {
      for (const test of module.children.allTests('passed')) {
        const tries = 1 + (test.diagnostic()?.retryCount ?? 0);
        if (tries === 1) continue;
        const file = module.moduleId.replace(`${ROOT}/`, '');
        sayDoing(`passed at try ${tries}: ${file}: ${test.fullName}`);
        for (const { message } of test.result().errors ?? []) sayDoing(`  before: ${message.slice(0, 2000)}`);
      }
    }
  }
}
