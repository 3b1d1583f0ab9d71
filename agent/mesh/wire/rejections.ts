/** Why something that another agent sent is not applied. */
export type RejectCode =
  | 'MESSAGE_TOO_LARGE'
  | 'MESSAGE_MALFORMED'
  | 'MESSAGE_FIELD'
  | 'COMMAND_FIELD'
  | 'TOPOLOGY_DIFFERS'
  | 'ENDPOINT_UNKNOWN'
  | 'STALE_INCARNATION'
  | 'STALE_SEQUENCE'
  | 'HOST_LEFT'
  | 'HOST_CLAIMED'
  | 'PEER_HAS_OTHER_HOST'
  | 'TOO_MANY_HOSTS'
  | 'TOO_MANY_FLOWS'
  | 'TOO_MANY_CLAIMS'
  | 'TOO_MANY_COMMANDS'
  | 'REQUEST_RATE'
  | 'GOSSIP_RATE'
  | 'INCARNATION_FUTURE'
  | 'IDENTITY_SHARED'
  | 'HANDSHAKE_FAILED'
  | 'KEY_REPLACED'
  | 'SIGNATURE_WRONG'
  | 'PEER_NOT_ALLOWED'
  | 'HOST_NOT_ALLOWED'
  | 'ENDPOINT_FOREIGN'
  | 'ADDRESS_FOREIGN'
  | 'TOO_MANY_ADDRESSES'
  | 'CLOCK_OUTVOTED'
  | 'COMMAND_TIME'
  | 'COMMAND_FOREIGN'
  | 'COMMAND_UNSIGNED'
  | 'COMMAND_SIGNATURE'
  | 'COMMAND_AUTHOR'
  | 'COMMAND_RIGHT'
  | 'COMMAND_RATE';

export interface Rejection {
  readonly rejected: RejectCode;
  /** The offending field and value. */
  readonly reason: string;
}

export const reject = (rejected: RejectCode, reason: string): Rejection => ({ rejected, reason });
export const isRejection = (value: object): value is Rejection => 'rejected' in value;

/** The sender, as far as it is known. */
export interface Origin {
  readonly peer?: string;
  /** The address from which it connected, without the port, which differs each time. */
  readonly address?: string;
  /** The peer that forwarded it. */
  readonly via?: string;
}
