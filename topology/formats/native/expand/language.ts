/** Which files are more than the services, bridges, links and events that stand in them: those that are expanded (expand.ts). */

/** Keys at the top of a file that are gone when it is expanded. */
export const LANGUAGE_KEYS = [
  'include',
  'vars',
  'defaults',
  'profiles',
  'distance',
  'matrix',
  'lans',
] as const;

const FEATURES =
  /\$\{|\d\.\.\d|\.(?:dist|csv)\b|\b(?:include|vars|defaults|profiles?|distance|matrix|lans|location|traces?)["']?[ \t]*:/;

/** The first line of what has been expanded begins with it: nothing in it is expanded again, also where a command has `${…}`. */
export const EXPANDED_MARK = '# Expanded by netfold';

/** Whether a text can have anything that is expanded; faster than looking for it. */
export function mayNeedExpansion(text: string): boolean {
  return !text.startsWith(EXPANDED_MARK) && FEATURES.test(text);
}
