// @ts-check
/** What a run of vitest comes to, from its JSON report. */

/**
 * What we read of the report (https://vitest.dev/guide/reporters#json-reporter).
 * @typedef {{ fullName: string, status: string }} Assertion
 * @typedef {{ name: string, status: string, assertionResults: Assertion[] }} FileResult
 * @typedef {{ success: boolean, testResults: FileResult[] }} Report
 */

/**
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed failed tests, files that could not be loaded, and errors outside of any test
 * @property {string[]} notRun skipped and unfinished tests, by file and name
 */

/**
 * @param {Report | undefined} report undefined: vitest ended without one
 * @param {number} exitCode of vitest
 * @param {string} root the checkout, taken off the names of files
 * @returns {Summary}
 */
export function summarize(report, exitCode, root) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) =>
    file.assertionResults.map((test) => ({
      status: test.status,
      name: `${relative(file.name, root)}: ${test.fullName}`,
    })),
  );
  const passed = tests.filter((test) => test.status === 'passed').length;
  const brokenFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = tests.filter((test) => test.status === 'failed').length + brokenFiles.length;
  const notRun = tests
    .filter((test) => test.status !== 'passed' && test.status !== 'failed')
    .map((test) => test.name);
  // An unhandled error fails the run although each test passed; a run without tests proves nothing.
  const otherwise = failed === 0 && (exitCode !== 0 || report?.success !== true || passed === 0) ? 1 : 0;
  return { passed, failed: failed + otherwise, notRun };
}

/**
 * @param {string} file
 * @param {string} root
 */
function relative(file, root) {
  return file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
}
