// @ts-check
/** What `npm start` makes of its arguments. */
import { join } from 'node:path';

/**
 * @param {readonly string[]} given after `npm start --`: the file first, if any; options of `netfold verify` after it
 * @param {string} root the checkout
 * @returns {string[]} the arguments of Node
 */
export function verifyArguments(given, root) {
  const [first] = given;
  const hasFile = first !== undefined && !first.startsWith('-');
  const file = hasFile ? first : join(root, 'examples', 'quickstart.yaml');
  const options = hasFile ? given.slice(1) : [...given];
  const hosts = options.some((option) => option === '--hosts' || option.startsWith('--hosts='))
    ? []
    : ['--hosts-if-any', '2'];
  return [join(root, 'controller', 'cli', 'main.ts'), 'verify', file, ...hosts, ...options];
}
