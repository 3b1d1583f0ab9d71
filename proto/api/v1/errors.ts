/** Around all routes: the shape of every refusal, which is that of netfold's coded errors, and links for browsers. */
import { z } from 'zod';

export const errorSchema = z
  .object({
    code: z.string().describe('Such as EXPERIMENT_UNKNOWN; it does not change between versions.'),
    blame: z.enum(['input', 'usage', 'machine', 'internal']).describe('Who has to act.'),
    message: z.string(),
    remedy: z.string().optional().describe('What to do about it.'),
  })
  .describe('Why a request was refused.');

export const linkSchema = z.object({
  path: z.string().describe('To be put after the address of the server.'),
});
