/** Certificate and key of a server with TLS: read, and found to fit, before it listens. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { readPrivate } from '../../../agent/files/private-files.ts';
import { ControllerError } from '../../errors.ts';

/** Paths of files in PEM. */
export interface TlsFiles {
  /** The server's own certificate first, then those of its authorities, if any. */
  readonly cert: string;
  /** For its owner alone, without a passphrase. */
  readonly key: string;
}

/** As node:tls takes them, in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/**
 * Throws `FileError` (`FILE_EXPOSED` for a key that others can read, or a certificate that they can change; `FILE_UNREADABLE`) and
 * `ControllerError` (`TLS_CERTIFICATE`, `TLS_KEY`, `TLS_MISMATCH`). `now`: milliseconds since 1970.
 */
export function readTls({ cert, key }: TlsFiles, now = Date.now()): TlsIdentity {
  const certificateText = readPrivate(cert, { what: 'the certificate', readable: true });
  const keyText = readPrivate(key, { what: "the certificate's key" });
  const certificate = certificateIn(certificateText, cert);
  const { validFromDate, validToDate } = certificate;
  if (now < validFromDate.getTime() || now > validToDate.getTime())
    throw new ControllerError(
      'TLS_CERTIFICATE',
      `the certificate in ${cert} counts from ${validFromDate.toISOString()} to ${validToDate.toISOString()}, and not now`,
      'get a new one, or set the clock of this machine',
    );
  if (!certificate.checkPrivateKey(keyIn(keyText, key)))
    throw new ControllerError(
      'TLS_MISMATCH',
      `the key in ${key} is not that of the certificate in ${cert}`,
      "name the two that were made together; in a chain, the server's own certificate has to be the first",
    );
  return { cert: certificateText, key: keyText };
}

/** The first of the file. Throws `TLS_CERTIFICATE`. */
function certificateIn(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    const remedy = 'write it as PEM: -----BEGIN CERTIFICATE-----';
    throw new ControllerError('TLS_CERTIFICATE', `${path} contains no certificate`, remedy, cause);
  }
}

function keyIn(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    // An encrypted key can't be read without asking somebody.
    const remedy = 'write it as PEM, without a passphrase: openssl pkey -in FILE -out NEWFILE';
    throw new ControllerError('TLS_KEY', `${path} contains no private key that can be read`, remedy, cause);
  }
}

/** Whether the certificate is for this name, or IP address. */
export function isNamed({ cert }: TlsIdentity, name: string): boolean {
  const certificate = new X509Certificate(cert);
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}
