/** Limits of a file: it must not be able to exhaust the machine that reads it. */

/** Characters. A topology of 65,535 endpoints with a link each takes about 6 MB. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;
/** Endpoint numbers travel in two bytes where that pays, and /32 addresses come from a /16 per experiment. */
export const MAX_ENDPOINTS = 65_535;
export const MAX_BRIDGES = 65_535;
/** Directed edges after expansion to replicas; two services with many replicas multiply. */
export const MAX_EDGES = 1_000_000;
export const MAX_EVENTS = 100_000;
/** Of a script, a few lines of which make as many as they like: to read, convert, and read again takes a second and 400 MB. */
export const MAX_SCRIPT_EVENTS = 50_000;
/** Atomic changes that all events expand to: a flap every 100 ms for an hour is 36,000. */
export const MAX_ATOMS = 500_000;
/** Deeper nesting than any topology has; parsers recurse. */
export const MAX_DEPTH = 32;

/** Characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what makes a file not text.
export const NOT_TEXT = /[\x00-\x08\x0E-\x1F\uFFFD]/;
