/**
 * A link of a server with TLS on this machine, asked for at an address that its certificate need not name: the server is known by
 * the certificate itself.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { errorSchema } from '../proto/api/v1/errors.ts';
import { API_ROOT, ROUTES } from '../proto/api/v1/routes.ts';
import { type ErrorFacts, NetfoldError } from '../proto/errors.ts';
import { localToken } from './connect.ts';

const TIMEOUT_MS = 10_000;

/**
 * `url`: without a path. `certificate`: the path of the server's own, as it was given to the server. Throws `TLS_CERTIFICATE`,
 * `UNREACHABLE`, and what the server refuses.
 */
export async function pinnedLink(url: string, certificate: string): Promise<string> {
  const { makeLink } = ROUTES;
  const { statusCode, value } = await post(url, certificate, makeLink.path);
  if (statusCode === makeLink.status) return url + makeLink.answer.parse(value).path;
  throw new NetfoldError(errorSchema.parse(value) as ErrorFacts);
}

async function post(url: string, path: string, route: string) {
  const ca = firstCertificate(path);
  const token = process.env.NETFOLD_TOKEN ?? localToken(new URL(url));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(url + API_ROOT + route, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    // As if it were its own authority: whoever has its key is the server.
    ca,
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
    timeout: TIMEOUT_MS,
  });
  sent.on('timeout', () => sent.destroy(new Error('no answer')));
  sent.on('error', reject).on('response', resolve).end();
  try {
    const response = await promise;
    return { statusCode: response.statusCode, value: JSON.parse(await text(response)) as unknown };
  } catch (cause) {
    throw new NetfoldError({
      code: 'UNREACHABLE',
      blame: 'machine',
      message: `${url} can't be reached by TLS with the certificate in ${path}: ${(cause as Error).message}`,
      remedy: 'see that `netfold serve` listens there, with this certificate',
      cause,
    });
  }
}

/** A chain goes on with its authorities, who vouch for others as well. */
function firstCertificate(path: string): string {
  try {
    return new X509Certificate(readFileSync(path)).toString();
  } catch (cause) {
    throw new NetfoldError({
      code: 'TLS_CERTIFICATE',
      blame: 'input',
      message: `${path} contains no certificate`,
      remedy: "name the server's certificate (PEM)",
      cause,
    });
  }
}
