/** Names and quantities in requests of the API. */
import { z } from 'zod';
import { DURATION_PATTERN, MAX_QUANTITY_LENGTH } from '../../units.ts';

export const experimentName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/)
  .describe('Name of a running experiment.');

/** An endpoint, or a service for all of its replicas. */
export const nodeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}(\.\d{1,6})?$/)
  .describe('An endpoint, such as server.0, or a service.');

export const hostName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  .describe('Name of a host of the experiment.');

export const duration = z
  .string()
  .max(MAX_QUANTITY_LENGTH)
  .regex(new RegExp(DURATION_PATTERN))
  .describe('A time with its unit: 500ms, 30s, 1m30s.');

/** Since the start of the experiment, or from now on. */
export const instant = z
  .string()
  .max(MAX_QUANTITY_LENGTH)
  .regex(new RegExp(`^\\+?${DURATION_PATTERN.slice(1)}`))
  .describe('When: 30s since the start of the experiment, or +5s from now on.');

/** Of `commandId`. */
export const commandIdPattern = /^[A-Za-z0-9._-]{1,64}~\d{1,16}~\d{1,10}(~[1-9A-HJ-NP-Za-km-z]{1,128})?$/;
