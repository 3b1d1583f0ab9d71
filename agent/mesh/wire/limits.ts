/** How much an agent takes from others: its memory is bounded whatever they send. Of commands, see proto/command.ts. */
import { MAX_ALL_COMMANDS, MAX_COMMAND_BYTES } from '../../../proto/command.ts';

/**
 * Longer gossip is not sent (receivers notice the digest and request the table) and not accepted. 256 KiB hold 40,000
 * flows.
 */
export const MAX_GOSSIP_BYTES = 256 * 1024;
/**
 * A whole table with `MAX_FLOWS_PER_HOST` flows of at most 14 bytes, endpoints with addresses, and known agents (4 MiB);
 * and `MAX_ALL_COMMANDS` commands of which each has at most 384 bytes beside its text.
 */
export const MAX_STATE_BYTES = 4 * 1024 * 1024 + MAX_ALL_COMMANDS * (MAX_COMMAND_BYTES + 384);
/** Requests of either kind: names and numbers. */
export const MAX_QUESTION_BYTES = 512;
export const MAX_CLOCK_BYTES = 128;
/** An invitation, which contains a topology as text. One of 10,000 nodes has about 1 MiB. */
export const MAX_INVITATION_BYTES = 16 * 1024 * 1024;
export const MAX_HOSTS = 1024;
/** In one gossiped message: an agent announces each when it is given. */
export const MAX_GOSSIPED_COMMANDS = 4;
/** In one message; an agent has some twenty neighbours. */
export const MAX_SUSPICIONS = 64;
/** 256 endpoints of a host sending to 256 others each. */
export const MAX_FLOWS_PER_HOST = 65_536;
/** Over all hosts; about 50 MB of maps. */
export const MAX_FLOWS = 524_288;
export const MAX_ENDPOINTS_PER_HOST = 65_536;
/** How many hosts may claim one endpoint before further claims are refused. */
export const MAX_CLAIMS = 8;
export const MAX_ADDRESSES_PER_ENDPOINT = 8;
export const MAX_MESH_ADDRESSES = 16;
export const MAX_MESH_ADDRESS_LENGTH = 256;
export const MAX_PEER_ID_LENGTH = 128;
/** Hosts that were dropped or left, and conflicts with others, that are remembered. */
export const MAX_REMEMBERED = 1024;
