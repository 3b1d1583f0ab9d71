/** What runs on the server's machine already, and is shaped where it is: containers (`netfold attach`), interfaces (`netfold up --at`). */
import { z } from 'zod';
import { duration } from './names.ts';

/** Of selectors, and of interfaces. */
const MOST_PLACES = 4096;
/** Of `never`; the kernel has room for some dozens. */
const MOST_NEVER = 64;

export const takeOver = z
  .boolean()
  .default(false)
  .describe('Foreign root qdiscs are replaced, and restored in the end.');
export const lease = duration
  .optional()
  .describe('Shaping ends when an agent has not renewed it for so long.');
export const never = z
  .array(z.string().regex(/^[0-9A-Za-z.:/]{1,64}$/))
  .max(MOST_NEVER)
  .optional()
  .describe('Traffic that is not shaped, beside SSH and the mesh: tcp:5432, udp:53, 192.0.2.0/24.');

/** `NODE=…`: what comes after it is for the command to read. */
const place = z.string().regex(/^[A-Za-z0-9_][^=\0\r\n]{0,200}=[^\0\r\n]{1,800}$/);

export const attachSchema = z
  .strictObject({
    engine: z.enum(['docker', 'cri']).describe('Docker, or the runtime of pods on this machine.'),
    select: z
      .array(place)
      .min(1)
      .max(MOST_PLACES)
      .describe('Which containers a service, or one replica, is: client=label:app=web, db=compose:shop/db.'),
    network: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,200}$/)
      .optional()
      .describe('Of containers in several networks, the one that is emulated: its name, or a range.'),
    names: z.boolean().default(false).describe("With Docker: the topology's names resolve inside."),
    takeOver,
    lease,
  })
  .describe("Containers of the server's machine that run already, and stay at the end.");

export const atSchema = z
  .strictObject({
    interfaces: z
      .array(place)
      .min(1)
      .max(MOST_PLACES)
      .describe('Which interface an endpoint is: client=eth0, or client=eth0@NAMESPACE.'),
    takeOver,
    lease,
    never,
  })
  .describe("Interfaces of the server's machine, which stay as they were at the end.");
