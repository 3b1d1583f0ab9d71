/** The API of this machine, listening. */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { netfoldVersion } from '../machine/version.ts';
import type { MeshAddress } from '../mesh-address.ts';
import { tokenFile } from '../names.ts';
import { Allowance } from './access/allowance.ts';
import { isNamed, readTls, type TlsFiles, type TlsIdentity } from './access/tls.ts';
import { openToken, removeToken } from './access/token.ts';
import { ApiError } from './errors.ts';
import { Guard } from './guard.ts';
import { localExperiments } from './local-experiments.ts';
import { localInside } from './local-inside.ts';
import { buildServer } from './server.ts';

export interface ServeOptions {
  /** An IP address; port 0: a free one. */
  readonly listen: MeshAddress;
  /** A file with the key that signs commands. */
  readonly key?: string | undefined;
  /** For hosts over SSH, instead of ~/.ssh/config. */
  readonly sshConfig?: string | undefined;
  readonly hasToken: boolean;
  /** Names under which others reach this machine. */
  readonly names: readonly string[];
  /** Metrics need no token. */
  readonly openMetrics?: boolean;
  /** Without: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
}

export interface Serving {
  /** Without a path: `http://127.0.0.1:4647`, `https://…` with TLS. */
  readonly url: string;
  /** A new one each time, that a browser can use once; it shows the experiment, if one is named, and else the first. */
  link(experiment?: string): string;
  readonly tokenFile: string | undefined;
  close(): Promise<void>;
}

/**
 * Throws `TOKEN_UNPROTECTED` for an address that others reach without a token, `PORT_TAKEN`, and what `openToken` and `readTls`
 * throw.
 */
export async function serveApi(options: ServeOptions): Promise<Serving> {
  const { listen, key, sshConfig, hasToken, names, openMetrics = false, tls: files } = options;
  if (!hasToken && !isLoopback(listen.address))
    throw new ApiError(
      'TOKEN_UNPROTECTED',
      `--no-auth at ${listen.address} would let everybody there run commands as root`,
      'leave --no-auth out, or listen at 127.0.0.1',
    );
  const tls = files && readTls(files);
  // Nobody knows the first token: it counts until the port is known, which names the file of the real one.
  const own = { port: listen.port, token: hasToken ? randomBytes(32).toString('base64url') : undefined };
  const guard = new Guard({
    own,
    names: [hostname(), ...names].map((name) => name.toLowerCase()),
    isSecure: tls !== undefined,
    now: Date.now,
  });
  const server = await buildServer({
    experiments: localExperiments({ key, sshConfig }),
    inside: localInside(),
    guard,
    allowance: new Allowance(() => performance.now()),
    version: netfoldVersion(),
    openMetrics,
    tls,
  });
  await listenAt(server, listen);
  own.port = (server.server.address() as AddressInfo).port;
  const { port } = own;
  try {
    if (hasToken) own.token = openToken(port);
  } catch (error) {
    await server.close();
    throw error;
  }
  const url = `${tls ? 'https' : 'http'}://${hostOf(options, tls)}:${port}`;
  return {
    url,
    link: (experiment) => url + guard.link(experiment),
    tokenFile: hasToken ? tokenFile(port) : undefined,
    close: async () => {
      await server.close();
      if (hasToken) removeToken(port);
    },
  };
}

/** Under which name it is told: one that the certificate has, so that browsers and programs believe it. */
function hostOf({ listen: { address }, names }: ServeOptions, tls: TlsIdentity | undefined): string {
  const own = isAny(address) ? 'localhost' : address;
  const others = isAny(address) ? [...names, hostname()] : names;
  const told = tls && [own, ...others].find((name) => isNamed(tls, name));
  return bracketed(told ?? own);
}

/** Throws `PORT_TAKEN`, and system errors. */
async function listenAt(server: FastifyInstance, { address, port }: MeshAddress): Promise<void> {
  try {
    await server.listen({ host: address, port });
  } catch (error) {
    await server.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw error;
    const reason = code === 'EADDRINUSE' ? 'something listens there already' : `it can't be used (${code})`;
    const remedy = `choose another one, e.g. --listen ${address}:${port + 1}; ss -ltnp shows who listens`;
    throw new ApiError('PORT_TAKEN', `${address}:${port}: ${reason}`, remedy, error);
  }
}

export const isLoopback = (address: string): boolean => /^127\./.test(address) || address === '::1';
const isAny = (address: string): boolean => address === '0.0.0.0' || address === '::';
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);
