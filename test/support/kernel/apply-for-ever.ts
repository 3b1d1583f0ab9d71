/**
 * A program that a test kills: attaches to an interface as an agent does, and changes it without pause.
 *
 *   node apply-for-ever.ts ENDPOINT-AS-JSON BACKEND SEED
 *
 * Prints `attached` before the first change.
 */

import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { loadPrograms } from '../../../agent/linux/programs/programs.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { enforce } from '../enforce.ts';
import { arbitraryState } from '../states.ts';

const [json, backend, seed] = process.argv.slice(2);
const endpoint = JSON.parse(json!) as LocalEndpoint;
const random = new SeededRandom(Number(seed));
const programs = loadPrograms(256);
const name = backend === 'netem' ? 'netem' : 'delay-line';
const delay = createDelayBackend(name, programs, Number(seed));
const enforcer = new Enforcer({ tc: programs.tc, delay, ...SYSTEM_TIME });
await enforcer.attach(endpoint);
console.log('attached');
for (;;) {
  const { desired, impaired } = arbitraryState(random, name);
  enforce(enforcer, endpoint, desired);
  await delay.set(endpoint, impaired);
}
