/** A certificate of its own authority, made without any program: X.509 (RFC 5280) as DER, signed by ECDSA on P-256. */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  /** Both in PEM. */
  readonly cert: string;
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  names: '551d11',
  constraints: '551d13',
};

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
/** UTCTime: years until 2049. */
const time = (ms: number): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replace(/\.\d+|[-:T]/g, '')
        .slice(2)}`,
    ),
  );

/** For these DNS names, and 127.0.0.1; counts from an hour ago until an hour from now. */
export function makeCertificate(...names: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, oid(OID.ecdsaWithSha256));
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, oid(OID.commonName), der(0x0c, Buffer.from('netfold test')))),
  );
  const dns = names.map((one) => der(0x82, Buffer.from(one)));
  const address = der(0x87, Buffer.from([127, 0, 0, 1]));
  const yes = der(0x01, Buffer.from([0xff]));
  const extensions = [
    der(SEQUENCE, oid(OID.constraints), yes, der(0x04, der(SEQUENCE, yes))),
    der(SEQUENCE, oid(OID.names), der(0x04, der(SEQUENCE, ...dns, address))),
  ];
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(SEQUENCE, time(Date.now() - 3600e3), time(Date.now() + 3600e3)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const text = der(SEQUENCE, body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${text.trimEnd()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
