/**
 * The part of containerd's own API that netfold uses, as protobufjs describes messages: names and numbers of
 * containerd/containerd, api/services/{events,containers}/v1. A message in an `Any` is bytes with a length, as any other is.
 */
import type { fromJSON } from '@grpc/proto-loader';
import { message } from './runtime-messages.ts';

export const EVENTS = 'containerd.services.events.v1.Events';
export const CONTAINERS = 'containerd.services.containers.v1.Containers';

const SUBSCRIBING = {
  Events: {
    methods: {
      Subscribe: { requestType: 'SubscribeRequest', responseType: 'Envelope', responseStream: true },
    },
  },
  SubscribeRequest: message({ filters: [1, 'string[]'] }),
  Envelope: message({ topic: [3, 'string'], event: [4, 'AnyEvent'] }),
  AnyEvent: message({ value: [2, 'ContainerEvent'] }),
  /** ContainerCreate, ContainerUpdate and ContainerDelete alike. */
  ContainerEvent: message({ id: [1, 'string'] }),
};

const GETTING = {
  Containers: {
    methods: { Get: { requestType: 'GetContainerRequest', responseType: 'GetContainerResponse' } },
  },
  GetContainerRequest: message({ id: [1, 'string'] }),
  GetContainerResponse: message({ container: [1, 'Container'] }),
  Container: {
    fields: {
      id: { id: 1, type: 'string' },
      extensions: { id: 10, keyType: 'string', type: 'AnyExtension' },
    },
  },
  AnyExtension: message({ value: [2, 'bytes'] }),
};

const service = (nested: object): object => ({ nested: { v1: { nested } } });
const services = { nested: { events: service(SUBSCRIBING), containers: service(GETTING) } };

/** For `fromJSON` of @grpc/proto-loader. */
export const CONTAINERD = {
  nested: { containerd: { nested: { services } } },
} as unknown as Parameters<typeof fromJSON>[0];
