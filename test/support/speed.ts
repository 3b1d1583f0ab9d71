/**
 * Properties of the machine that runs the tests. An emulated processor (test/vm sets NETFOLD_SLOW_MACHINE) is some
 * thirty times slower: the kernel's behaviour is measured there, not this machine's speed.
 */
const isSlow = process.env.NETFOLD_SLOW_MACHINE !== undefined;

/** The fastest TCP flow that leaves the processors partly idle. */
export const FASTEST_BPS = isSlow ? 50e6 : 1e9;
/** By how much a mean round-trip time may exceed the target plus the machine's own. */
export const LATE_MS = isSlow ? 2 : 0.5;
/** For bandwidth and shares, relative. */
export const RATE_TOLERANCE = isSlow ? 0.05 : 0.02;
/** How often a program is killed while it changes an interface. */
export const KILL_TRIES = isSlow ? 15 : 50;
/** How long it lives at most: where taking the interface over takes 200 ms, later kills hit a change. */
export const LONGEST_LIFE_MS = isSlow ? 6000 : 400;
