/** The inventory file as a zod schema. Each text has the form that SSH takes, and none can be read as an option. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseBandwidth, parseLatency, parseMemory, parsePercentage } from '../../proto/units.ts';
import { quantityOf } from '../../topology/formats/native/quantity.ts';
import { MAX_ENDPOINTS } from '../../topology/model/limits.ts';
import { NAME_PATTERN } from '../../topology/model/names.ts';

/** Of hosts: as those of SSH's configuration and of DNS. */
export const HOST_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/;
const ADDRESS = /^[A-Za-z0-9_:[][A-Za-z0-9_.:%[\]-]{0,252}$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.\\@-]{0,63}$/;
const HOP = String.raw`(?:ssh://)?(?:[A-Za-z0-9_][\w.\\-]*@)?[A-Za-z0-9_[:][\w.:%[\]-]*`;
const JUMP = new RegExp(`^${HOP}(?:,${HOP}){0,7}$`);
/** IFNAMSIZ without the final zero; no `/` and no blank (net/core/dev.c, dev_valid_name). */
const INTERFACE = /^(?!\.{1,2}$)[^\s/:-][^\s/:]{0,14}$/;
const MAX_TEXT = 300;

/** Larger machines were never seen. */
const MAX_CORES = 65_536;

const text = (pattern: RegExp) => z.string().max(MAX_TEXT).regex(pattern);
const oneOrMore = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));
/** An interface, or an address whose interface it is. */
const shape = z.string().refine((value) => isIP(value) !== 0 || INTERFACE.test(value));
/** Names, or names with the interface of each. */
const identities = z.union([
  z.string().transform((name) => [{ name, shape: undefined }]),
  z.array(z.string()).transform((names) => names.map((name) => ({ name, shape: undefined }))),
  z
    .record(z.string(), shape)
    .transform((given) => Object.entries(given).map(([name, of]) => ({ name, shape: of }))),
]);
const cores = z.number().positive().max(MAX_CORES);
const memory = quantityOf(z.string(), parseMemory);

export const hostSchema = z.strictObject({
  address: text(ADDRESS).optional(),
  user: text(USER).optional(),
  port: z.int().min(1).max(65_535).optional(),
  jump: text(JUMP).optional(),
  shape: shape.optional(),
  is: identities.default([]),
  labels: z.array(text(new RegExp(NAME_PATTERN))).default([]),
  cores: cores.optional(),
  memory: memory.optional(),
  bandwidth: quantityOf(z.string(), parseBandwidth).optional(),
  endpoints: z.int().min(0).max(MAX_ENDPOINTS).optional(),
});

export const wishesSchema = z.strictObject({
  needs: z
    .record(z.string(), z.strictObject({ cores: cores.optional(), memory: memory.optional() }))
    .default({}),
  pins: z.record(z.string(), oneOrMore).default({}),
  apart: z.array(oneOrMore).default([]),
});

const wayShape = {
  /** Both directions; or `from` and `to`. */
  between: z.tuple([z.string(), z.string()]).optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  roundTrip: quantityOf(z.string(), parseLatency).optional(),
  /** Of a direction. */
  loss: quantityOf(z.string(), parsePercentage).optional(),
  bandwidth: quantityOf(z.string(), parseBandwidth).optional(),
};

/** The real network between hosts, in a file of its own. */
export const networkSchema = z.strictObject({ ways: z.array(z.strictObject(wayShape)) });

export const WAY_KEYS: readonly string[] = Object.keys(wayShape);
export const HOST_KEYS: readonly string[] = Object.keys(hostSchema.shape);
export const WISH_KEYS: readonly string[] = Object.keys(wishesSchema.shape);
export const NEED_KEYS: readonly string[] = ['cores', 'memory'];

/** What may be written for a key, for remedies. */
export const EXPECTED: Readonly<Record<string, string>> = {
  hosts: 'write e.g. hosts: { host1: { address: 192.0.2.7, cores: 8 } }',
  address: 'write a host name or an IP address, e.g. address: 192.0.2.7',
  user: 'write the name of a user, e.g. user: root',
  port: 'write a port of TCP, a whole number from 1 to 65535',
  jump: 'write the hosts on the way, e.g. jump: user@gateway.example:22',
  shape: 'write an interface or an IP address of the host, e.g. shape: eth0',
  is: 'name services or endpoints, e.g. is: db or is: [client.0, client.1]; or each with its interface, is: { client.0: eth0, client.1: eth1 }',
  labels: 'write a list of names, e.g. labels: [edge]',
  cores: `write a number above 0 and up to ${MAX_CORES}, e.g. cores: 8`,
  memory: 'write an amount with its unit, e.g. memory: 16GB',
  bandwidth: 'write a bandwidth with its unit, e.g. bandwidth: 1Gbps',
  endpoints: `write a whole number from 0 to ${MAX_ENDPOINTS}`,
  needs: 'write e.g. needs: { db: { cores: 2, memory: 4GB } }',
  pins: 'write e.g. pins: { db: host1, tag:edge: label:edge }',
  ways: 'write e.g. ways: [{ between: [host1, host2], roundTrip: 30ms, loss: 0.1%, bandwidth: 200Mbps }]',
  between: 'name two hosts, e.g. between: [host1, host2]',
  from: 'name the host that sends, e.g. from: host1',
  to: 'name the host that receives, e.g. to: host2',
  roundTrip: 'write a time with its unit, e.g. roundTrip: 30ms',
  loss: 'write a percentage, of one direction, e.g. loss: 0.1%',
  apart: 'write a list of services, endpoints or lists of them, e.g. apart: [db, [web.0, web.1]]',
};
